"""Every op of mlx.core as a table: what it is called with, and on which inputs."""
