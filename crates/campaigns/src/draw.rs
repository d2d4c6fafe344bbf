//! Which message a recipient gets: drawn by weight among those that are in use.

use store::CampaignMessage;

/// The message that a random number draws; none where none is in use.
pub fn draw(messages: &[CampaignMessage], chance: u64) -> Option<&CampaignMessage> {
    let in_use = || messages.iter().filter(|message| message.is_active && message.weight > 0);
    let all: u64 = in_use().map(|message| u64::from(message.weight)).sum();
    let mut place = chance.checked_rem(all)?;
    in_use().find(|message| {
        let weight = u64::from(message.weight);
        let is_it = place < weight;
        place = place.saturating_sub(weight);
        is_it
    })
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
    fn each_is_drawn_as_often_as_its_weight_says() {
        let messages = [message(1, 1, true), message(2, 3, true), message(3, 5, false)];
        let drawn = |number| {
            (0..4).filter(|chance| draw(&messages, *chance).map(|one| one.number) == Some(number)).count()
        };
        assert_eq!((drawn(1), drawn(2), drawn(3)), (1, 3, 0));
    }
}
