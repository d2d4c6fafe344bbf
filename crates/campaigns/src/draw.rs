//! Which message a recipient gets: drawn by weight among those that are in use and lack no variable of the recipient.

use std::collections::{BTreeMap, BTreeSet};

use store::CampaignMessage;

use crate::template::{TemplateError, variables};

/// The message that a random number draws; none where none is in use.
pub fn draw<'a, M>(messages: M, chance: u64) -> Option<&'a CampaignMessage>
where
    M: IntoIterator<Item = &'a CampaignMessage, IntoIter: Clone>,
{
    let mut used = messages.into_iter().filter(|message| is_used(message));
    let all: u64 = used.clone().map(|message| u64::from(message.weight)).sum();
    let mut place = chance.checked_rem(all)?;
    used.find(|message| {
        let weight = u64::from(message.weight);
        let is_it = place < weight;
        place = place.saturating_sub(weight);
        is_it
    })
}

/// The same for a recipient with these values: one that lacks none of them, where there is one.
pub(crate) fn draw_for<'a>(
    messages: &'a [CampaignMessage],
    values: &BTreeMap<String, String>,
    chance: u64,
) -> Option<&'a CampaignMessage> {
    let fits = |message: &&CampaignMessage| has_all(&variables(&message.text), values);
    draw(messages.iter().filter(fits), chance).or_else(|| draw(messages, chance))
}

/// The variables that each message in use names.
pub(crate) struct Needed(Vec<Result<BTreeSet<String>, TemplateError>>);

impl Needed {
    pub(crate) fn by(messages: &[CampaignMessage]) -> Self {
        Self(messages.iter().filter(|message| is_used(message)).map(|used| variables(&used.text)).collect())
    }

    /// Whether every message lacks a variable of a recipient with these values.
    pub(crate) fn is_lacking(&self, values: &BTreeMap<String, String>) -> bool {
        !self.0.is_empty() && !self.0.iter().any(|names| has_all(names, values))
    }
}

fn has_all(names: &Result<BTreeSet<String>, TemplateError>, values: &BTreeMap<String, String>) -> bool {
    names.as_ref().is_ok_and(|names| names.iter().all(|name| values.contains_key(name)))
}

const fn is_used(message: &CampaignMessage) -> bool {
    message.is_active && message.weight > 0
}

#[cfg(test)]
mod tests {
    use super::*;
    use domain::text::ParseMode;
    use proptest::prelude::*;

    fn message(number: u32, weight: u32, is_active: bool) -> CampaignMessage {
        CampaignMessage {
            number,
            text: String::new(),
            parse_mode: ParseMode::None,
            weight,
            is_active,
            uses: 0,
            media: Vec::new(),
        }
    }

    proptest! {
        #[test]
        fn only_what_is_in_use_is_drawn(rows in prop::collection::vec((0_u32..5, any::<bool>()), 0..8), chance: u64) {
            let messages: Vec<_> = rows.iter().zip(0..).map(|((weight, used), number)| message(number, *weight, *used)).collect();
            let usable = messages.iter().any(|message| message.is_active && message.weight > 0);
            match draw(&messages, chance) {
                Some(drawn) => prop_assert!(drawn.is_active && drawn.weight > 0),
                None => prop_assert!(!usable),
            }
        }
    }

    #[test]
    fn a_chat_without_a_variable_gets_another_message() {
        let says = |number, text: &str, is_active| CampaignMessage {
            text: text.to_owned(),
            ..message(number, 1, is_active)
        };
        let values = |names: &[&str]| -> BTreeMap<_, _> {
            names.iter().map(|name| ((*name).to_owned(), "x".to_owned())).collect()
        };
        let messages = [says(1, "Hi {name}", true), says(2, "Hi {city}", true), says(3, "Hi", false)];
        let needed = Needed::by(&messages);
        for (names, drawn, is_lacking) in
            [(vec!["name"], [1, 1], false), (vec!["city", "x"], [2, 2], false), (vec![], [1, 2], true)]
        {
            let values = values(&names);
            let of = |chance| draw_for(&messages, &values, chance).map(|one| one.number);
            assert_eq!([of(0), of(1)], drawn.map(Some), "{names:?}");
            assert_eq!(needed.is_lacking(&values), is_lacking, "{names:?}");
        }
        assert!(!Needed::by(&messages[2..]).is_lacking(&values(&[])));
    }

    #[test]
    fn each_is_drawn_as_often_as_its_weight_says() {
        let messages = [message(1, 1, true), message(2, 3, true), message(3, 5, false)];
        let drawn = |number| {
            (0..4).filter(|chance| draw(&messages, *chance).map(|one| one.number) == Some(number)).count()
        };
        assert_eq!((drawn(1), drawn(2), drawn(3)), (1, 3, 0));
    }
}
