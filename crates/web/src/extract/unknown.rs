//! Names that are not known, and the nearest one that is. Pure.

/// Says that a query parameter is not known, which one is nearest, and which there are.
pub(crate) fn unknown_parameter(found: &str, known: &[&str]) -> String {
    if known.is_empty() {
        return "is not known: this call takes no query parameters".to_owned();
    }
    let known_names = known.join(", ");
    match nearest(found, known) {
        Some(name) => format!("is not known; did you mean {name:?}? Known are {known_names}"),
        None => format!("is not known; known are {known_names}"),
    }
}

/// Says that a name is not known, and which known one is nearest.
pub(crate) fn unknown<'a>(found: &str, known: impl Iterator<Item = &'a str>) -> String {
    let known: Vec<&str> = known.collect();
    match nearest(found, &known) {
        Some(name) => format!("is not known; did you mean {name:?}?"),
        None => format!("is not known; known are {}", known.join(", ")),
    }
}

fn nearest<'a>(found: &str, known: &[&'a str]) -> Option<&'a str> {
    let distances = known.iter().map(|name| (strsim::damerau_levenshtein(found, name), *name));
    let (distance, name) = distances.min()?;
    (distance <= (name.len().max(found.len()) / 2).max(1)).then_some(name)
}
