//! What the program takes of its machine, as Linux shows it under `/proc/self`. Where it shows nothing, nothing is reported.

use std::fs;
use std::path::Path;
use std::time::Duration;

const PAGE_SIZE: usize = 6;
const CLOCK_TICKS: usize = 17;

/// What the program takes.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Usage {
    /// Processor time since the start.
    pub cpu: Option<Duration>,
    /// Memory in use, in bytes.
    pub resident_bytes: Option<u64>,
    /// Memory that is addressed, in bytes.
    pub virtual_bytes: Option<u64>,
    pub threads: Option<u64>,
    pub open_files: Option<u64>,
    /// How many files and connections may be open.
    pub most_files: Option<u64>,
}

/// Reads a few small files; call it off the async threads.
pub fn usage() -> Usage {
    look_at(Path::new("/proc/self"))
}

fn look_at(folder: &Path) -> Usage {
    let auxiliary = fs::read(folder.join("auxv")).unwrap_or_default();
    let text = |name: &str| fs::read_to_string(folder.join(name)).unwrap_or_default();
    let (stat, memory) = (text("stat"), text("statm"));
    let page_size = auxiliary_value(&auxiliary, PAGE_SIZE);
    let bytes = |pages: Option<u64>| pages?.checked_mul(page_size?);
    let mut pages = memory.split_ascii_whitespace().map(|number| number.parse().ok());
    Usage {
        virtual_bytes: bytes(pages.next().flatten()),
        resident_bytes: bytes(pages.next().flatten()),
        cpu: auxiliary_value(&auxiliary, CLOCK_TICKS).and_then(|ticks| cpu(&stat, ticks)),
        threads: field(&stat, 20),
        open_files: fs::read_dir(folder.join("fd")).ok().map(|files| files.count() as u64),
        most_files: most_files(&text("limits")),
    }
}

/// A field of `stat`, numbered from 1 as the manual does. The second one is a name that may hold anything.
fn field(stat: &str, number: usize) -> Option<u64> {
    let (_, after_name) = stat.rsplit_once(')')?;
    after_name.split_ascii_whitespace().nth(number.checked_sub(3)?)?.parse().ok()
}

fn cpu(stat: &str, ticks_per_second: u64) -> Option<Duration> {
    let ticks = field(stat, 14)?.checked_add(field(stat, 15)?)?;
    Some(Duration::from_micros(ticks.checked_mul(1_000_000)?.checked_div(ticks_per_second)?))
}

/// A value of the auxiliary vector: pairs of machine words.
fn auxiliary_value(auxiliary: &[u8], wanted: usize) -> Option<u64> {
    const WORD: usize = size_of::<usize>();
    let word = |bytes: &[u8]| bytes.try_into().ok().map(usize::from_ne_bytes);
    auxiliary
        .chunks_exact(2 * WORD)
        .find(|pair| word(&pair[..WORD]) == Some(wanted))
        .and_then(|pair| word(&pair[WORD..]))
        .map(|value| value as u64)
}

/// How many files may be open; nothing where there is no limit.
fn most_files(limits: &str) -> Option<u64> {
    let line = limits.lines().find(|line| line.starts_with("Max open files"))?;
    line.split_ascii_whitespace().nth(3)?.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_with_brackets_and_spaces_moves_no_field() {
        let rest = "S 1 1 1 0 -1 4194304 100 0 0 0 250 50 0 0 20 0 7 0 12345 1000000 200";
        for name in ["switchboard", "odd) name (", "a b"] {
            let stat = format!("42 ({name}) {rest}");
            assert_eq!(cpu(&stat, 100), Some(Duration::from_secs(3)), "{name}");
            assert_eq!(field(&stat, 20), Some(7), "{name}");
        }
        assert_eq!(cpu("42", 100), None);
        assert_eq!(cpu(&format!("42 (a) {rest}"), 0), None);
    }

    #[test]
    fn the_auxiliary_vector_is_pairs_of_words() {
        let words: [usize; 6] = [17, 100, 6, 4096, 0, 0];
        let bytes: Vec<u8> = words.iter().flat_map(|word| word.to_ne_bytes()).collect();
        assert_eq!(auxiliary_value(&bytes, CLOCK_TICKS), Some(100));
        assert_eq!(auxiliary_value(&bytes, PAGE_SIZE), Some(4096));
        assert_eq!(auxiliary_value(&bytes, 3), None);
        assert_eq!(auxiliary_value(&bytes[..5], CLOCK_TICKS), None);
    }

    #[test]
    fn the_limit_of_files_is_the_soft_one() {
        let limits = "Limit  Soft Limit  Hard Limit  Units\nMax open files            1024                 524288               files\n";
        assert_eq!(most_files(limits), Some(1024));
        assert_eq!(most_files("Max open files  unlimited  unlimited  files\n"), None);
    }

    #[test]
    fn the_own_process_is_shown_and_an_empty_folder_is_not() {
        let shown = usage();
        assert!(shown.resident_bytes > Some(100_000) && shown.virtual_bytes >= shown.resident_bytes);
        assert!(shown.cpu.is_some() && shown.threads > Some(0) && shown.open_files > Some(0));
        let folder = tempfile::tempdir().expect("a folder");
        assert_eq!(look_at(folder.path()), Usage::default());
    }
}
