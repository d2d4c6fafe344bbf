//! Choosing from search results: by the exact public name, never by a title or a place in the list.

use std::time::Duration;

use super::facts::Row;

/// The row whose public name is this one. Adverts are no rows, and names are compared without case, as Telegram does.
pub(crate) fn named<'a>(rows: &'a [Row], name: &str) -> Option<&'a Row> {
    rows.iter().find(|row| {
        !row.sponsored && public_name(&row.subtitle).is_some_and(|own| own.eq_ignore_ascii_case(name))
    })
}

/// The public name with which a subtitle begins.
fn public_name(subtitle: &str) -> Option<&str> {
    let rest = subtitle.trim_start().strip_prefix('@')?;
    let end =
        rest.find(|letter: char| !letter.is_ascii_alphanumeric() && letter != '_').unwrap_or(rest.len());
    // A letter that names do not have would make another name of it.
    let next = rest[end..].chars().next();
    (end > 0 && next.is_none_or(|letter| !letter.is_alphanumeric())).then_some(&rest[..end])
}

/// Whether results have come to rest: several requests answer one after the other.
#[derive(Debug, Default)]
pub(crate) struct Settling {
    rows: Vec<Row>,
    since: Option<Duration>,
}

impl Settling {
    /// Takes what is shown at a time and says whether it has been the same for so long.
    pub(crate) fn observe(&mut self, now: Duration, rows: &[Row], quiet: Duration) -> bool {
        match self.since {
            Some(since) if self.rows == rows => now.saturating_sub(since) >= quiet,
            _ => {
                rows.clone_into(&mut self.rows);
                self.since = Some(now);
                false
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn row(peer: i64, subtitle: &str, sponsored: bool) -> Row {
        Row { peer, subtitle: subtitle.to_owned(), sponsored, shown: true }
    }

    #[test]
    fn the_exact_name_is_chosen_and_adverts_are_not() {
        let rows = [
            row(1, "@shop", true),
            row(2, "@shop_official, 12 345 members", false),
            row(3, "@shopé", false),
            row(4, "shop", false),
            row(5, "@Shop, 12 345 members", false),
            row(6, "@shop", false),
        ];
        assert_eq!(named(&rows, "shop").map(|row| row.peer), Some(5));
        assert_eq!(named(&rows[..4], "shop"), None);
        assert_eq!(named(&rows, "shop_official").map(|row| row.peer), Some(2));
        assert_eq!(named(&rows, ""), None);
    }

    #[test]
    fn results_rest_once_they_stay_the_same() {
        let (mut settling, quiet) = (Settling::default(), Duration::from_millis(1_500));
        let at = Duration::from_millis;
        let rows = [row(1, "@a", false)];
        assert!(!settling.observe(at(0), &[], quiet));
        assert!(!settling.observe(at(1_000), &[], quiet));
        assert!(!settling.observe(at(1_400), &rows, quiet));
        assert!(!settling.observe(at(2_800), &rows, quiet));
        assert!(settling.observe(at(2_900), &rows, quiet));
        assert!(!settling.observe(at(3_000), &[], quiet));
    }

    proptest! {
        #[test]
        fn the_chosen_result_has_exactly_the_name(
            name in "[a-z][a-z0-9_]{0,8}",
            rows in proptest::collection::vec(("[@a-zA-Z0-9_é, ]{0,12}", any::<bool>()), 0..8),
        ) {
            let rows: Vec<Row> = (1..).zip(rows).map(|(peer, (subtitle, sponsored))| row(peer, &subtitle, sponsored)).collect();
            if let Some(found) = named(&rows, &name) {
                let after = found.subtitle.trim_start().to_ascii_lowercase();
                let after = after.strip_prefix(&format!("@{name}")).map(|rest| rest.chars().next());
                prop_assert!(matches!(after, Some(next) if next.is_none_or(|letter| !letter.is_alphanumeric() && letter != '_')));
                prop_assert!(!found.sponsored);
            }
        }
    }
}
