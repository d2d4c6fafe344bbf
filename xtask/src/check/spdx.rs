//! SPDX licence expressions: read, and judged against a list of what is allowed.

use anyhow::{Result, bail};

/// A licence expression. An exception belongs to its licence: `Apache-2.0 WITH LLVM-exception` is one name.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Expression {
    Licence(String),
    All(Vec<Expression>),
    Any(Vec<Expression>),
}

impl Expression {
    /// Reads an expression. The old `MIT/Apache-2.0` means a choice, as it did for cargo.
    pub(super) fn parse(text: &str) -> Result<Self> {
        let tokens = tokens(text);
        let mut reader = Reader { tokens: &tokens, text };
        let expression = reader.any()?;
        match reader.tokens.first() {
            None => Ok(expression),
            Some(rest) => bail!("`{text}` is no licence expression: `{rest}` is left over"),
        }
    }

    /// The licences that keep the expression from being allowed; none when it is allowed.
    pub(super) fn refused(&self, allowed: &impl Fn(&str) -> bool) -> Vec<&str> {
        match self {
            Self::Licence(name) if allowed(name) => Vec::new(),
            Self::Licence(name) => vec![name],
            Self::All(parts) => parts.iter().flat_map(|part| part.refused(allowed)).collect(),
            Self::Any(parts) => {
                let refused: Vec<_> = parts.iter().map(|part| part.refused(allowed)).collect();
                if refused.iter().any(Vec::is_empty) { Vec::new() } else { refused.concat() }
            }
        }
    }
}

fn tokens(text: &str) -> Vec<String> {
    let spaced = text.replace('(', " ( ").replace(')', " ) ").replace('/', " OR ");
    spaced.split_whitespace().map(ToOwned::to_owned).collect()
}

struct Reader<'a> {
    tokens: &'a [String],
    text: &'a str,
}

impl<'a> Reader<'a> {
    fn next(&mut self) -> Option<&'a str> {
        let (first, rest) = self.tokens.split_first()?;
        self.tokens = rest;
        Some(first)
    }

    fn take(&mut self, word: &str) -> bool {
        let found = self.tokens.first().is_some_and(|token| token.eq_ignore_ascii_case(word));
        if found {
            self.tokens = &self.tokens[1..];
        }
        found
    }

    /// `OR` binds weakest.
    fn any(&mut self) -> Result<Expression> {
        let mut parts = vec![self.all()?];
        while self.take("OR") {
            parts.push(self.all()?);
        }
        Ok(one_or(parts, Expression::Any))
    }

    fn all(&mut self) -> Result<Expression> {
        let mut parts = vec![self.licence()?];
        while self.take("AND") {
            parts.push(self.licence()?);
        }
        Ok(one_or(parts, Expression::All))
    }

    fn licence(&mut self) -> Result<Expression> {
        let text = self.text;
        match self.next() {
            Some("(") => {
                let inner = self.any()?;
                if self.take(")") {
                    Ok(inner)
                } else {
                    bail!("`{text}` is no licence expression: a `)` is missing")
                }
            }
            Some(name) if !["AND", "OR", "WITH", ")"].contains(&name.to_ascii_uppercase().as_str()) => {
                let mut name = name.to_owned();
                if self.take("WITH") {
                    let Some(exception) = self.next() else {
                        bail!("`{text}` is no licence expression: nothing after `WITH`")
                    };
                    name = format!("{name} WITH {exception}");
                }
                Ok(Expression::Licence(name))
            }
            Some(word) => bail!("`{text}` is no licence expression: `{word}` where a licence should be"),
            None => bail!("`{text}` is no licence expression: it ends where a licence should be"),
        }
    }
}

fn one_or(mut parts: Vec<Expression>, many: fn(Vec<Expression>) -> Expression) -> Expression {
    if parts.len() == 1 { parts.remove(0) } else { many(parts) }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn refused(text: &str) -> Vec<String> {
        let allowed =
            |name: &str| matches!(name, "MIT" | "Apache-2.0" | "Apache-2.0 WITH LLVM-exception" | "ISC");
        Expression::parse(text).unwrap().refused(&allowed).into_iter().map(ToOwned::to_owned).collect()
    }

    #[test]
    fn a_choice_needs_one_a_sum_needs_all() {
        assert!(refused("MIT").is_empty());
        assert!(refused("GPL-3.0-only OR MIT").is_empty());
        assert!(refused("Unheard/MIT").is_empty());
        assert!(refused("Apache-2.0 WITH LLVM-exception AND ISC").is_empty());
        assert_eq!(refused("GPL-3.0-only"), ["GPL-3.0-only"]);
        assert_eq!(refused("MIT AND GPL-3.0-only"), ["GPL-3.0-only"]);
        assert_eq!(refused("GPL-2.0 OR GPL-3.0"), ["GPL-2.0", "GPL-3.0"]);
        assert_eq!(refused("MIT WITH odd-exception"), ["MIT WITH odd-exception"]);
    }

    #[test]
    fn and_binds_closer_than_or_and_brackets_closer_still() {
        assert!(refused("MIT OR GPL-2.0 AND GPL-3.0").is_empty());
        assert_eq!(refused("(MIT OR ISC) AND GPL-3.0"), ["GPL-3.0"]);
        assert!(refused("ISC AND (Apache-2.0 OR GPL-2.0) AND (MIT or GPL-2.0)").is_empty());
    }

    #[test]
    fn an_invalid_expression_is_quoted_in_the_error() {
        for text in ["", "MIT OR", "AND MIT", "(MIT", "MIT)", "MIT ISC", "MIT WITH", "()"] {
            let error = Expression::parse(text).unwrap_err().to_string();
            assert!(error.starts_with(&format!("`{text}` is no licence expression")), "{error}");
        }
    }
}
