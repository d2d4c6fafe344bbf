//! What is wrong with a text's markup, in words that say where and what to do.

/// Broken markup: where, what, and how to mend it.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("broken HTML at byte {position}: {problem}; escape < as &lt; or send parse_mode none")]
pub struct MarkupError {
    /// The byte of the text at which the trouble begins.
    pub position: usize,
    /// What is wrong there.
    pub problem: MarkupProblem,
}

impl MarkupError {
    pub(super) fn new(position: usize, problem: MarkupProblem) -> Self {
        Self { position, problem }
    }
}

/// The ways in which markup can be broken.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum MarkupProblem {
    /// A tag that Telegram does not know.
    #[error(
        "Unsupported start tag \"{found}\" (known are b, strong, i, em, u, ins, s, strike, del, code, pre, a, \
         blockquote, tg-spoiler, span class=\"tg-spoiler\", tg-emoji, br)"
    )]
    Unsupported {
        /// The name found, cut to a readable length.
        found: String,
    },
    /// An end without a beginning.
    #[error("Unexpected end tag \"{found}\": no tag is open here")]
    NotOpened {
        /// The name found.
        found: String,
    },
    /// An end that belongs to another beginning.
    #[error("Unmatched end tag, expected \"</{expected}>\", found \"</{found}>\"")]
    Mismatched {
        /// The name found.
        found: String,
        /// The name of the innermost open tag.
        expected: String,
    },
    /// A beginning without an end.
    #[error("Can't find the end tag of \"<{tag}>\"")]
    Unclosed {
        /// The name of the tag.
        tag: String,
    },
    /// A tag without its `>`.
    #[error("the tag \"{tag}\" is not finished with >")]
    Unfinished {
        /// The name of the tag, cut to a readable length.
        tag: String,
    },
    /// An attribute that is missing or has a value that cannot be used.
    #[error("the tag \"{tag}\" needs {attribute}={wanted}")]
    BadAttribute {
        /// The name of the tag.
        tag: &'static str,
        /// The name of the attribute.
        attribute: &'static str,
        /// What its value has to be.
        wanted: &'static str,
    },
    /// Tags in tags in tags.
    #[error("tags stand more than {limit} deep in each other")]
    TooDeep {
        /// The greatest depth that is read.
        limit: usize,
    },
}
