//! Which campaign is meant: the one that is named, or one chosen from a list at the terminal.

use anyhow::bail;
use domain::ExposeSecret;

use super::PATH;
use crate::api_client::ApiClient;
use crate::table::cell;
use crate::terminal::{Lines, WrongUsage, is_interactive};

/// How often a wrong answer is asked again for.
const ATTEMPTS: usize = 3;

/// The campaign that is named, or chosen at the terminal where none is.
pub(super) async fn chosen(api: &ApiClient, named: Option<String>) -> anyhow::Result<String> {
    if let Some(named) = named {
        return Ok(named);
    }
    if !is_interactive() {
        let wrong = "name a campaign: there is no terminal to choose one on; `switchboard campaign groups list` lists them";
        return Err(WrongUsage(wrong.to_owned()).into());
    }
    let known: Vec<_> = api.list(PATH).await?.iter().map(|campaign| cell(campaign, "name")).collect();
    if known.is_empty() {
        bail!("there are no campaigns; `switchboard campaign groups create NAME` makes one");
    }
    for (number, name) in (1..).zip(&known) {
        eprintln!("{number:>3}  {name}");
    }
    let mut lines = Lines::of_standard_input();
    for _ in 0..ATTEMPTS {
        let Some(answer) = lines.ask(&format!("Which campaign? [1-{}] ", known.len())).await? else { break };
        if let Some(name) = meant(&known, answer.expose_secret()) {
            return Ok(name.to_owned());
        }
    }
    bail!("no campaign was chosen")
}

/// The name that an answer means: its number in the list, or the name itself.
fn meant<'a>(names: &'a [String], answer: &str) -> Option<&'a str> {
    let by_number = answer.parse::<usize>().ok().and_then(|number| names.get(number.checked_sub(1)?));
    names.iter().find(|name| *name == answer).or(by_number).map(String::as_str)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_answer_is_a_number_or_a_name() {
        let names = ["autumn".to_owned(), "spring".to_owned()];
        for (answer, name) in [
            ("2", Some("spring")),
            ("spring", Some("spring")),
            ("0", None),
            ("3", None),
            ("", None),
            ("sprin", None),
        ] {
            assert_eq!(meant(&names, answer), name, "{answer}");
        }
    }
}
