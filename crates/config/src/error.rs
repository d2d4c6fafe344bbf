//! What is wrong with the settings, in words for a person.

use std::{fmt, io, path::PathBuf};

use crate::source::SettingSource;

/// Settings that cannot be used. Its text names each problem, where it is and what to do.
#[derive(Debug, thiserror::Error)]
pub enum SettingsError {
    /// The file cannot be read.
    #[error("cannot read the settings file {}: {source}; check its path and its rights", path.display())]
    Unreadable {
        /// The file.
        path: PathBuf,
        /// What the system says.
        source: io::Error,
    },
    /// The file is too large to be settings.
    #[error("the settings file {} is larger than {limit} bytes; is it the right one?", path.display())]
    TooLarge {
        /// The file.
        path: PathBuf,
        /// The greatest size that is read.
        limit: u64,
    },
    /// Something in the file or the environment is wrong.
    #[error("{}", listed(problems))]
    Wrong {
        /// All that was found, in the order of the file.
        problems: Vec<Problem>,
    },
}

fn listed(problems: &[Problem]) -> String {
    if let [problem] = problems {
        return problem.to_string();
    }
    let mut text = format!("{} problems in the settings:", problems.len());
    for problem in problems {
        text.push_str("\n  ");
        text.push_str(&problem.to_string());
    }
    text
}

/// One thing that is wrong.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Problem {
    /// Where it is.
    pub place: SettingSource,
    /// The full path of the key, such as `telegram.accounts[0].name`; empty when it is about no key.
    pub key: String,
    /// What is wrong and what to do; follows the key in a sentence. Never holds a secret.
    pub message: String,
}

impl fmt::Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.key.is_empty() {
            write!(f, "{}: {}", self.place, self.message)
        } else {
            write!(f, "{}: `{}` {}", self.place, self.key, self.message)
        }
    }
}
