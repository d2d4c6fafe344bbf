//! Languages of one script by their commonest words. A model may think in another language than the one of the conversation.

/// The fewest words of a sentence, the fewest common ones of its language, and the fewest of a conversation that has one.
const FEWEST_WORDS: usize = 4;
const FEWEST_COMMON: u32 = 2;
const FEWEST_OF_CONVERSATION: u32 = 3;

/// Words of a language that no other one of the list has: Russian, Ukrainian; English, German, Spanish, French, Italian, Portuguese.
const LANGUAGES: [&[&str]; 8] = [
    &[
        "и",
        "что",
        "это",
        "как",
        "вы",
        "мы",
        "есть",
        "или",
        "если",
        "чтобы",
        "он",
        "она",
        "они",
        "уже",
        "только",
        "нет",
        "можно",
        "сколько",
        "здравствуйте",
        "спасибо",
    ],
    &[
        "і",
        "й",
        "що",
        "це",
        "як",
        "ви",
        "ми",
        "є",
        "або",
        "якщо",
        "щоб",
        "він",
        "вона",
        "вони",
        "вже",
        "тільки",
        "ні",
        "треба",
        "його",
        "її",
        "скільки",
        "клієнт",
        "дякую",
        "вітаю",
        "добрий",
    ],
    &[
        "the", "and", "you", "is", "are", "for", "with", "this", "that", "have", "your", "will", "our", "it",
        "of", "how", "what", "we", "hello", "hi", "thanks",
    ],
    &[
        "der", "das", "und", "ist", "nicht", "ich", "sie", "mit", "für", "eine", "auf", "wir", "haben",
        "sind", "wie", "kunde", "hallo", "danke",
    ],
    &[
        "el", "los", "las", "está", "usted", "y", "su", "hay", "del", "muy", "pero", "quiere", "cuánto",
        "cómo", "hola", "gracias",
    ],
    &[
        "le", "les", "des", "est", "vous", "nous", "pour", "avec", "dans", "je", "et", "pas", "sur",
        "bonjour", "merci",
    ],
    &["il", "di", "che", "per", "sono", "è", "gli", "della", "non", "questo", "ciao", "grazie", "buongiorno"],
    &["uma", "você", "não", "em", "é", "os", "ao", "muito", "seu", "olá", "obrigado", "obrigada"],
];

/// How many common words of each language there are.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) struct FunctionWords([u32; LANGUAGES.len()]);

impl FunctionWords {
    /// Adds the words of a text.
    pub(super) fn add(&mut self, text: &str) {
        for word in words(text) {
            for (count, known) in self.0.iter_mut().zip(LANGUAGES) {
                *count = count.saturating_add(u32::from(known.contains(&word.as_str())));
            }
        }
    }

    /// Says whether an answer has a whole sentence in a language that the conversation does not have, beside one that it has. A line
    /// without an end, such as one of a menu, is no sentence.
    pub(super) fn are_left_by(&self, answer: &str) -> bool {
        let (mut has_known, mut has_other) = (false, false);
        for sentence in answer.split_inclusive(['.', '!', '?', '…', '\n']) {
            let mut found = Self::default();
            found.add(sentence);
            let is_known =
                self.0.iter().zip(found.0).any(|(of_talk, of_sentence)| *of_talk > 0 && of_sentence > 0);
            has_known |= is_known;
            let mut counts = found.0.into_iter().filter(|count| *count > 0);
            let is_of_one =
                counts.next().is_some_and(|count| count >= FEWEST_COMMON) && counts.next().is_none();
            let is_whole =
                sentence.ends_with(['.', '!', '?', '…']) && words(sentence).count() >= FEWEST_WORDS;
            has_other |= is_of_one && is_whole && !is_known;
        }
        has_known && has_other && self.0.iter().sum::<u32>() >= FEWEST_OF_CONVERSATION
    }
}

fn words(text: &str) -> impl Iterator<Item = String> {
    let pieces = text.split(|sign: char| !sign.is_alphabetic()).filter(|word| !word.is_empty());
    pieces.map(str::to_lowercase)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(text: &str) -> FunctionWords {
        let mut found = FunctionWords::default();
        found.add(text);
        found
    }

    #[test]
    fn thoughts_in_another_language_of_the_script_are_found() {
        let english = of("How much is it? We deliver the wheels in two days.");
        let russian = of("Сколько стоит? Здравствуйте, мы на связи, вы можете прийти.");
        for (talk, answer) in [
            (english, "Der Kunde ist sauer. It is 500 dollars with the delivery."),
            (english, "El cliente está enojado y quiere el precio. It is 500."),
            (russian, "Клієнт злий, тому я відповідаю чемно, як треба. Да, он есть в наличии."),
        ] {
            assert!(talk.are_left_by(answer), "{answer}");
        }
        for (talk, answer) in [
            (english, "We have Crema di Parma per due and Crème de la Mer. It is the best."),
            (english, "Here is the menu:\nCrema di funghi per due\nLes oeufs et le pain"),
            (english, "El precio está en el menú y usted puede pagar."),
            (of("Hola, is it the price?"), "El cliente está aquí y quiere pagar. It is 500."),
            (russian, "Да, он есть в наличии. Приезжайте с 9 до 18."),
            (FunctionWords::default(), "Der Kunde ist sauer. It is 500."),
        ] {
            assert!(!talk.are_left_by(answer), "{answer}");
        }
    }
}
