//! Names that are not known, and the nearest one that is. Pure.

/// Says that a name is not known, and which known one is nearest.
pub(crate) fn unknown<'a>(found: &str, known: impl Iterator<Item = &'a str>) -> String {
    let known: Vec<&str> = known.collect();
    let nearest = known
        .iter()
        .map(|name| (strsim::damerau_levenshtein(found, name), *name))
        .min()
        .filter(|(distance, name)| *distance <= (name.len().max(found.len()) / 2).max(1));
    match nearest {
        Some((_, name)) => format!("is not known; did you mean {name:?}?"),
        None => format!("is not known; known are {}", known.join(", ")),
    }
}
