//! `mlx-embed encode` with a model that gives a vector for each token.

use super::encode::{Encode, npy_header, unwritable, write};
use mlx_embed::{Embeddings, Error, Result};
use std::io::Write;
use std::path::Path;

impl Encode {
    /// Writes a matrix for each text: a JSON list of lists in each line, or one .npy file of all rows and beside it one of
    /// their numbers, whose name ends in `.lengths.npy`.
    pub(super) fn write_late(&self, matrices: impl Iterator<Item = Result<Embeddings>>) -> Result<()> {
        if self.precision.is_some() {
            return Err(Error::msg("`--precision` is for models that give one vector for a text."));
        }
        match self.npy() {
            Some(path) => self.write_matrices(path, matrices),
            None => {
                let mut out = self.open(self.output.as_deref())?;
                for matrix in matrices {
                    let rows: Vec<Vec<f32>> = matrix?.rows().map(<[f32]>::to_vec).collect();
                    write(&mut out, format_args!("{}\n", serde_json::json!(rows)))?;
                }
                out.flush().map_err(unwritable)
            }
        }
    }

    fn write_matrices(&self, path: &Path, matrices: impl Iterator<Item = Result<Embeddings>>) -> Result<()> {
        let (mut rows, mut lengths, mut dims) = (Vec::new(), Vec::new(), 0);
        for matrix in matrices {
            let matrix = matrix?;
            dims = matrix.dims();
            lengths.push(matrix.len() as i64);
            rows.extend(matrix.values().iter().flat_map(|x| x.to_le_bytes()));
        }
        let count = lengths.iter().sum::<i64>() as usize;
        let counted = lengths.iter().flat_map(|length| length.to_le_bytes()).collect();
        let files = [
            (path.to_owned(), npy_header("<f4", &[count, dims]), rows),
            (path.with_extension("lengths.npy"), npy_header("<i8", &[lengths.len()]), counted),
        ];
        for (path, header, bytes) in files {
            let mut out = self.open(Some(&path))?;
            out.write_all(&header).and_then(|()| out.write_all(&bytes)).map_err(unwritable)?;
            out.flush().map_err(unwritable)?;
        }
        Ok(())
    }
}
