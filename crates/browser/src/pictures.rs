//! Pictures of what went wrong, each with the HTML of its page beside it: kept in a folder of their own, by number and age.

use std::io;
use std::path::{Path, PathBuf};
use std::time::Duration;

use domain::Timestamp;

/// What the names of pictures end in, and of pages.
const PNG: &str = "png";
const HTML: &str = "html";

/// How many pictures are kept, and for how long.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Retention {
    pub most: usize,
    pub age: Duration,
}

/// A folder of pictures.
#[derive(Debug, Clone)]
pub struct Pictures {
    folder: PathBuf,
    retention: Retention,
}

impl Pictures {
    pub fn new(folder: impl Into<PathBuf>, retention: Retention) -> Self {
        Self { folder: folder.into(), retention }
    }

    /// Keeps a picture of a profile and the HTML of its page, removes those whose time is over, and returns where the picture is.
    pub async fn keep(&self, profile: &str, at: Timestamp, png: &[u8], html: &str) -> io::Result<PathBuf> {
        tokio::fs::create_dir_all(&self.folder).await?;
        let name = format!("{}_{}.png", at.as_micros(), file_name(profile));
        let file = self.folder.join(name);
        tokio::fs::write(&file, png).await?;
        tokio::fs::write(file.with_extension(HTML), html).await?;
        for old in surplus(self.stored().await?, at, self.retention) {
            let old = self.folder.join(old);
            for old in [old.with_extension(HTML), old] {
                match tokio::fs::remove_file(old).await {
                    Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
                    Ok(()) | Err(_) => {}
                }
            }
        }
        Ok(file)
    }

    /// A picture that is kept, or by the same name with `.html` its page.
    pub async fn read(&self, name: &str) -> io::Result<Option<Vec<u8>>> {
        let picture = Path::new(name).with_extension(PNG);
        let is_ours = taken(&picture.to_string_lossy()).is_some() && !name.contains(['/', '\\', '\0']);
        if !is_ours {
            return Ok(None);
        }
        match tokio::fs::read(self.folder.join(name)).await {
            Ok(content) => Ok(Some(content)),
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
            Err(error) => Err(error),
        }
    }

    /// The names of the pictures that are kept.
    pub async fn stored(&self) -> io::Result<Vec<String>> {
        let mut entries = tokio::fs::read_dir(&self.folder).await?;
        let mut names = Vec::new();
        while let Some(entry) = entries.next_entry().await? {
            let name = entry.file_name().to_string_lossy().into_owned();
            if taken(&name).is_some() {
                names.push(name);
            }
        }
        names.sort_unstable();
        Ok(names)
    }
}

/// A profile's name as a part of a file's.
fn file_name(profile: &str) -> String {
    let letter = |letter: char| if letter.is_ascii_alphanumeric() || letter == '-' { letter } else { '_' };
    profile.chars().take(64).map(letter).collect()
}

/// When a picture was taken, if the file is one of ours.
fn taken(name: &str) -> Option<Timestamp> {
    let png = Path::new(name).extension().is_some_and(|extension| extension == PNG);
    let (micros, _) = name.split_once('_').filter(|_| png)?;
    micros.parse().ok().map(Timestamp::from_micros)
}

/// The pictures that go: those that are too old, and the oldest of too many.
fn surplus(names: Vec<String>, now: Timestamp, retention: Retention) -> Vec<String> {
    let mut dated: Vec<_> = names.into_iter().filter_map(|name| Some((taken(&name)?, name))).collect();
    dated.sort_unstable_by(|one, other| other.cmp(one));
    let old = |at: Timestamp| now.since(at) > retention.age;
    let numbered = dated.into_iter().enumerate();
    numbered
        .filter(|(place, (at, _))| *place >= retention.most || old(*at))
        .map(|(_, (_, name))| name)
        .collect()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const HOUR: i64 = 3_600_000_000;

    #[tokio::test]
    async fn the_newest_stay_and_strange_files_are_left_alone() {
        let folder = tempfile::tempdir().unwrap();
        let retention = Retention { most: 2, age: Duration::from_hours(2) };
        let pictures = Pictures::new(folder.path(), retention);
        std::fs::write(folder.path().join("notes.png"), b"mine").unwrap();
        for hour in 1..=4 {
            pictures.keep("shop/1 ü", Timestamp::from_micros(hour * HOUR), b"png", "<p>").await.unwrap();
        }
        assert_eq!(
            pictures.stored().await.unwrap(),
            [format!("{}_shop_1__.png", 3 * HOUR), format!("{}_shop_1__.png", 4 * HOUR)]
        );
        pictures.keep("x", Timestamp::from_micros(9 * HOUR), b"png", "<p>").await.unwrap();
        assert_eq!(pictures.stored().await.unwrap(), [format!("{}_x.png", 9 * HOUR)]);
        assert!(folder.path().join("notes.png").exists());
        let kept = format!("{}_x.png", 9 * HOUR);
        assert_eq!(pictures.read(&kept).await.unwrap().as_deref(), Some(&b"png"[..]));
        let page = kept.replace(".png", ".html");
        assert_eq!(pictures.read(&page).await.unwrap().as_deref(), Some(&b"<p>"[..]));
        assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 3);
        for other in ["notes.png", "1_x.png", "1_/../notes.png", "9_x"] {
            assert_eq!(pictures.read(other).await.unwrap(), None, "{other}");
        }
    }

    proptest! {
        #[test]
        fn the_pictures_that_stay_are_young_and_few(
            taken in proptest::collection::vec(0_i64..100, 0..30),
            most in 0_usize..20,
            hours in 0_u64..100,
        ) {
            let names: Vec<_> = taken.iter().map(|hour| format!("{}_x.png", hour * HOUR)).collect();
            let retention = Retention { most, age: Duration::from_secs(hours * 3_600) };
            let gone = surplus(names.clone(), Timestamp::from_micros(100 * HOUR), retention);
            let young = taken.iter().filter(|hour| 100 - **hour <= i64::try_from(hours).unwrap()).count();
            prop_assert_eq!(names.len() - gone.len(), young.min(most));
        }
    }
}
