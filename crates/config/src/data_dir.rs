//! The data directory when none is named.

use std::path::{Path, PathBuf};

/// Where the data of root and of services lives.
const SYSTEM: &str = "/var/lib/switchboard";

/// The data directory when none is named, always absolute: the one that the service manager set up, for root
/// `/var/lib/switchboard`, else `switchboard` in the user's data folder.
pub fn default_data_dir(is_root: bool, env: impl IntoIterator<Item = (String, String)>) -> PathBuf {
    let (mut state, mut data, mut home) = (None, None, None);
    for (name, value) in env {
        match name.as_str() {
            // The service manager lists several with colons; the first is the program's own.
            "STATE_DIRECTORY" => state = absolute(value.split(':').next().unwrap_or_default()),
            "XDG_DATA_HOME" => data = absolute(&value),
            "HOME" => home = absolute(&value),
            _ => {}
        }
    }
    if let Some(state) = state {
        return state;
    }
    if is_root {
        return PathBuf::from(SYSTEM);
    }
    data.or_else(|| home.map(|home| home.join(".local/share")))
        .map_or_else(|| PathBuf::from(SYSTEM), |folder| folder.join("switchboard"))
}

fn absolute(path: &str) -> Option<PathBuf> {
    let path = Path::new(path);
    path.is_absolute().then(|| path.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn dir(is_root: bool, env: &[(&str, &str)]) -> String {
        let env = env.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned()));
        default_data_dir(is_root, env).display().to_string()
    }

    #[test]
    fn the_path_is_always_absolute() {
        assert_eq!(dir(true, &[("HOME", "/root")]), "/var/lib/switchboard");
        assert_eq!(dir(false, &[("HOME", "/home/demo")]), "/home/demo/.local/share/switchboard");
        assert_eq!(dir(false, &[("HOME", "/home/demo"), ("XDG_DATA_HOME", "/data")]), "/data/switchboard");
        assert_eq!(dir(false, &[("HOME", "/h"), ("XDG_DATA_HOME", "data")]), "/h/.local/share/switchboard");
        assert_eq!(dir(false, &[("STATE_DIRECTORY", "/var/lib/sb:/x"), ("HOME", "/h")]), "/var/lib/sb");
        assert_eq!(dir(false, &[]), "/var/lib/switchboard");
    }
}
