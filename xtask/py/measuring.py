"""Shared by the measuring scripts; needs no package."""


def prompt_ids(count, vocab):
    """A linear congruential sequence, so that another program can feed the same ids."""
    state, ids = 1, []
    for _ in range(count):
        state = (state * 1103515245 + 12345) % 2**31
        ids.append((state >> 16) % vocab)
    return ids


def peak_resident():
    """The most bytes this process had resident, or None where the system does not say."""
    try:
        with open("/proc/self/status", encoding="ascii", errors="replace") as status:
            for line in status:
                if line.startswith("VmHWM:"):
                    return int(line.split()[1]) * 1024
    except OSError:
        pass
    return None


def sizes(text):
    """The numbers of a list such as `32,128`."""
    return [int(part) for part in text.split(",") if part]
