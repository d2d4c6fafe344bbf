//! A line of hours, drawn by the server: what was sent in each of the last 24. Pure.

use std::fmt::Write;

/// The picture is this wide and high, in its own units; a line through the middle of the stroke stays inside.
const WIDTH: f32 = 72.0;
const HIGH: f32 = 1.0;
const LOW: f32 = 19.0;

/// The path of a line through these values, the highest at the top. Nothing when there is no value above nought.
#[expect(clippy::cast_precision_loss, reason = "a picture of 20 units has no use for more")]
pub(crate) fn sparkline(values: &[u32]) -> Option<String> {
    let most = values.iter().copied().max().filter(|most| *most > 0)?;
    let step = WIDTH / (values.len().saturating_sub(1).max(1)) as f32;
    let mut path = String::with_capacity(values.len() * 10);
    for (place, value) in values.iter().enumerate() {
        let x = place as f32 * step;
        let y = LOW - (LOW - HIGH) * (*value as f32 / most as f32);
        let _ = write!(path, "{}{x:.1} {y:.1}", if place == 0 { 'M' } else { 'L' });
    }
    Some(path)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn the_highest_hour_touches_the_top_and_nought_the_bottom() {
        assert_eq!(sparkline(&[0, 4, 2]), Some("M0.0 19.0L36.0 1.0L72.0 10.0".to_owned()));
        assert_eq!(sparkline(&[0; 24]), None);
        assert_eq!(sparkline(&[]), None);
    }

    proptest! {
        #[test]
        fn the_line_stays_in_its_picture(values in proptest::collection::vec(any::<u32>(), 1..48)) {
            let Some(path) = sparkline(&values) else { return Ok(()) };
            for point in path.split(['M', 'L']).skip(1) {
                let (x, y) = point.split_once(' ').expect("a point");
                let (x, y): (f32, f32) = (x.parse().expect("a number"), y.parse().expect("a number"));
                prop_assert!((0.0..=WIDTH).contains(&x) && (HIGH..=LOW).contains(&y), "{path}");
            }
        }
    }
}
