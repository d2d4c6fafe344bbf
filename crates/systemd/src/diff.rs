//! What is other in a new text: the lines that go and those that come. Pure.

use std::fmt::Write;

/// Lines of a text at most; of longer ones every line goes and comes.
const MOST: usize = 1000;

/// The lines that go with `-`, those that come with `+`, and nothing of those that stay.
pub(super) fn diff(old: &str, new: &str) -> String {
    let (old, new): (Vec<&str>, Vec<&str>) = (old.lines().collect(), new.lines().collect());
    let common = if old.len() <= MOST && new.len() <= MOST { common(&old, &new) } else { Vec::new() };
    let mut text = String::new();
    let (mut from, mut to) = (0, 0);
    for (old_at, new_at) in common.into_iter().chain([(old.len(), new.len())]) {
        for gone in &old[from..old_at] {
            // Writing to a text cannot fail.
            let _ = writeln!(text, "-{gone}");
        }
        for came in &new[to..new_at] {
            let _ = writeln!(text, "+{came}");
        }
        (from, to) = (old_at + 1, new_at + 1);
    }
    text
}

/// The longest row of lines that both have, as places in each.
fn common(old: &[&str], new: &[&str]) -> Vec<(usize, usize)> {
    let width = new.len() + 1;
    let mut longest = vec![0_usize; (old.len() + 1) * width];
    for row in (0..old.len()).rev() {
        for column in (0..new.len()).rev() {
            longest[row * width + column] = if old[row] == new[column] {
                longest[(row + 1) * width + column + 1] + 1
            } else {
                longest[(row + 1) * width + column].max(longest[row * width + column + 1])
            };
        }
    }
    let (mut row, mut column, mut found) = (0, 0, Vec::new());
    while row < old.len() && column < new.len() {
        if old[row] == new[column] {
            found.push((row, column));
            (row, column) = (row + 1, column + 1);
        } else if longest[(row + 1) * width + column] >= longest[row * width + column + 1] {
            row += 1;
        } else {
            column += 1;
        }
    }
    found
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn removed_and_added_lines_are_shown_in_order() {
        assert_eq!(diff("a\nb\nc\n", "a\nx\nc\nd\n"), "-b\n+x\n+d\n");
        assert_eq!(diff("", "a\n"), "+a\n");
    }

    proptest! {
        #[test]
        fn going_and_coming_make_the_new_of_the_old(old in "[ab\n]{0,30}", new in "[ab\n]{0,30}") {
            let shown = diff(&old, &new);
            let count = |sign: char| shown.lines().filter(|line| line.starts_with(sign)).count();
            prop_assert_eq!(old.lines().count() - count('-') + count('+'), new.lines().count());
            prop_assert_eq!(shown.is_empty(), old.lines().eq(new.lines()));
        }
    }
}
