//! Whether there is memory for a browser.

/// What a browser with one page needs to start, in MB.
pub(super) const NEEDED: u64 = 1_024;

/// What programs can still have, in MB, as `/proc/meminfo` says it; none where it does not.
pub(super) fn available(meminfo: &str) -> Option<u64> {
    let line = meminfo.lines().find_map(|line| line.strip_prefix("MemAvailable:"))?;
    let kilobytes: u64 = line.split_whitespace().next()?.parse().ok()?;
    Some(kilobytes / 1_024)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn free_memory_is_read_in_megabytes() {
        let meminfo = "MemTotal:       24680000 kB\nMemFree:  1 kB\nMemAvailable:    1048575 kB\n";
        assert_eq!(available(meminfo), Some(1_023));
        assert_eq!(available("MemAvailable: x kB"), None);
        assert_eq!(available(""), None);
    }
}
