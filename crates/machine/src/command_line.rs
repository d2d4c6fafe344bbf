//! Command lines of other programs: which script they run, and what of them may be shown. Others write their passwords
//! there, so that only what is known to be harmless is shown.

use std::path::{Path, PathBuf};

use super::file_name;

/// Options whose value is an address, a port or a count.
const WITH_PLAIN_VALUE: [&str; 6] = ["-b", "--bind", "-p", "--port", "-w", "--workers"];

/// Options that have no value.
const WITHOUT_VALUE: [&str; 5] = ["-u", "-O", "--daemon", "--preload", "--reload"];

/// Programs that serve a Python application named as `module:name`.
const SERVERS: [&str; 4] = ["gunicorn", "uvicorn", "hypercorn", "waitress-serve"];

/// The command as it may be shown: the program, its script, its addresses. Everything else is `…`.
pub fn shown(arguments: &[String]) -> String {
    let Some(first) = arguments.first() else { return String::new() };
    if let Some(title) = title(first) {
        return title;
    }
    let mut words = vec![file_name(Path::new(first))];
    let mut before: Option<&str> = None;
    for argument in &arguments[1..] {
        match plain(argument, before, &words) {
            Some(word) => words.push(word),
            None if words.last().is_some_and(|last| last == "…") => {}
            None => words.push("…".to_owned()),
        }
        before = Some(argument);
    }
    words.join(" ")
}

/// Programs that name themselves, as `gunicorn: master [create_chat:app]`.
fn title(first: &str) -> Option<String> {
    let (program, rest) = first.split_once(": ")?;
    let application = rest.split_once('[').and_then(|(_, rest)| rest.split_once(']')).map(|(name, _)| name);
    let application = application.filter(|name| application_module(name).is_some());
    let known = SERVERS.contains(&program);
    known.then(|| application.map_or_else(|| format!("{program} …"), |name| format!("{program} {name}")))
}

/// An argument that is known to be harmless, as it is shown.
fn plain(argument: &str, before: Option<&str>, words: &[String]) -> Option<String> {
    if let Some((option, value)) = argument.split_once('=') {
        return (WITH_PLAIN_VALUE.contains(&option) && is_address(value)).then(|| argument.to_owned());
    }
    if WITH_PLAIN_VALUE.contains(&argument) || WITHOUT_VALUE.contains(&argument) || argument == "-m" {
        return Some(argument.to_owned());
    }
    let owner = before.filter(|before| before.starts_with('-') && !before.contains('='));
    match owner {
        Some(option) if WITH_PLAIN_VALUE.contains(&option) => {
            is_address(argument).then(|| argument.to_owned())
        }
        Some("-m") => is_module(argument).then(|| argument.to_owned()),
        Some(option) if !WITHOUT_VALUE.contains(&option) => None,
        _ => {
            let name = file_name(Path::new(argument));
            let serves = words.iter().any(|word| SERVERS.contains(&word.as_str()));
            let harmless = is_script(&name)
                || (SERVERS.contains(&name.as_str()) && words.len() == 1)
                || (serves && application_module(argument).is_some())
                || (words.len() == 1 && words[0] == "switchboard" && argument == "up");
            harmless.then(|| if application_module(argument).is_some() { argument.to_owned() } else { name })
        }
    }
}

/// Whether this is Python, or a program that runs in it.
pub fn is_python(arguments: &[String]) -> bool {
    let Some(first) = arguments.first() else { return false };
    let name = file_name(Path::new(first.split(": ").next().unwrap_or(first)));
    name.starts_with("python")
        || name == "flask"
        || name.starts_with("uwsgi")
        || SERVERS.contains(&name.as_str())
}

/// The file of the script that a Python process runs, as far as its command line shows. `folder` is where it was started.
pub fn script(arguments: &[String], folder: Option<&Path>) -> Option<PathBuf> {
    let first = arguments.first()?;
    let mut folder = folder.map(Path::to_owned);
    let module_file = |module: &str, folder: Option<&Path>| {
        let file = PathBuf::from(format!("{}.py", module.replace('.', "/")));
        folder.map_or(file.clone(), |folder| folder.join(&file))
    };
    if title(first).is_some() {
        let (_, rest) = first.split_once('[')?;
        return Some(module_file(application_module(rest.split_once(']')?.0)?, folder.as_deref()));
    }
    let mut serves = SERVERS.contains(&file_name(Path::new(first)).as_str());
    let mut found = None;
    let mut rest = arguments[1..].iter().map(String::as_str).peekable();
    while let Some(argument) = rest.next() {
        let name = file_name(Path::new(argument));
        if let Some(chosen) = argument
            .strip_prefix("--chdir=")
            .or_else(|| (argument == "--chdir").then(|| rest.peek().copied()).flatten())
        {
            folder = Some(folder.map_or_else(|| PathBuf::from(chosen), |folder| folder.join(chosen)));
        } else if SERVERS.contains(&name.as_str()) {
            serves = true;
        } else if argument == "-m" && !serves {
            let module = rest.next()?;
            if SERVERS.contains(&module) {
                serves = true;
            } else if module != "flask" {
                return is_module(module).then(|| module_file(module, folder.as_deref()));
            }
        } else if WITH_PLAIN_VALUE.contains(&argument) {
            rest.next();
        } else if let Some(application) = argument
            .strip_prefix("--app=")
            .or_else(|| (argument == "--app").then(|| rest.peek().copied()).flatten())
        {
            found = Some(application.trim_end_matches(".py").to_owned());
        } else if is_script(&name) && !argument.starts_with('-') && !serves {
            return Some(folder.map_or_else(|| PathBuf::from(argument), |folder| folder.join(argument)));
        } else if serves && let Some(module) = application_module(argument) {
            found = Some(module.to_owned());
        }
    }
    found.map(|module| module_file(module.split(':').next().unwrap_or_default(), folder.as_deref()))
}

fn is_script(name: &str) -> bool {
    name.len() > 3 && Path::new(name).extension().is_some_and(|extension| extension == "py")
}

/// `127.0.0.1:5021`, `:5021`, `5021`, `unix:/run/x.sock`: letters that no secret needs, and few of them.
fn is_address(text: &str) -> bool {
    let number = |text: &str| text.len() <= 5 && text.parse::<u16>().is_ok();
    let host = |text: &str| {
        text.is_empty()
            || text == "localhost"
            || text.trim_matches(['[', ']']).parse::<std::net::IpAddr>().is_ok()
    };
    number(text) || text.rsplit_once(':').is_some_and(|(before, port)| host(before) && number(port))
}

fn is_module(text: &str) -> bool {
    !text.is_empty()
        && text.len() <= 64
        && text.split('.').all(|part| {
            part.starts_with(|letter: char| letter.is_ascii_alphabetic() || letter == '_')
                && part.chars().all(|letter| letter.is_ascii_alphanumeric() || letter == '_')
        })
}

/// The module of `module:application`.
fn application_module(text: &str) -> Option<&str> {
    let (module, name) = text.split_once(':')?;
    (is_module(module) && is_module(name.trim_end_matches("()"))).then_some(module)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn words(line: &str) -> Vec<String> {
        line.split(' ').map(str::to_owned).collect()
    }

    #[test]
    fn only_harmless_words_are_shown() {
        for (line, expected) in [
            ("/usr/bin/python3 /srv/old/create_chat.py", "python3 create_chat.py"),
            (
                "/venv/bin/python3 /venv/bin/gunicorn -b 0.0.0.0:5021 -w 1 create_chat:app",
                "python3 gunicorn -b 0.0.0.0:5021 -w 1 create_chat:app",
            ),
            (
                "gunicorn --bind=127.0.0.1:5022 --access-logfile x send:app",
                "gunicorn --bind=127.0.0.1:5022 … send:app",
            ),
            ("node server.js --token secret-1 admin:secret", "node …"),
            ("python3 tool.py --auth admin:secret", "python3 tool.py …"),
            ("gunicorn --auth admin:secret -b user:5021", "gunicorn … -b …"),
            ("switchboard up --config /etc/x.toml", "switchboard up …"),
        ] {
            assert_eq!(shown(&words(line)), expected, "{line}");
        }
        assert_eq!(shown(&["gunicorn: master [create_chat:app]".to_owned()]), "gunicorn create_chat:app");
        assert_eq!(shown(&[]), "");
    }

    #[test]
    fn the_script_is_found_who_runs_it() {
        for (line, expected) in [
            ("python3 create_chat.py", "/srv/create_chat.py"),
            ("python3 -u /opt/send.py --port 5022", "/opt/send.py"),
            ("gunicorn -b 0.0.0.0:5021 create_chat:app", "/srv/create_chat.py"),
            (
                "/usr/bin/python3 /usr/bin/gunicorn --chdir old -w 1 chats.create:app",
                "/srv/old/chats/create.py",
            ),
            ("python3 -m gunicorn create_chat:app", "/srv/create_chat.py"),
            ("python3 -m bots.leave", "/srv/bots/leave.py"),
            ("python3 -m flask --app send run", "/srv/send.py"),
        ] {
            assert_eq!(script(&words(line), Some(Path::new("/srv"))), Some(expected.into()), "{line}");
        }
        let title = ["gunicorn: worker [create_chat:app]".to_owned()];
        assert_eq!(script(&title, Some(Path::new("/srv"))), Some("/srv/create_chat.py".into()));
        assert_eq!(script(&words("python3 -c pass"), None), None);
        assert!(
            is_python(&title) && is_python(&words("/usr/bin/python3.11 x")) && !is_python(&words("node x"))
        );
    }

    proptest! {
        #[test]
        fn a_secret_is_never_shown(
            secret in "[A-Za-z0-9+/_-]{12,40}",
            option in "(--token|--password|-k|--api-hash|-p|-b|-m|--bind|-w)",
            program in "(node|python3|gunicorn|switchboard)",
            joined in any::<bool>(),
        ) {
            // A word of letters behind -m is the name of a module.
            prop_assume!(option != "-m" || !is_module(&secret));
            let mut arguments = vec![program];
            if joined { arguments.push(format!("{option}={secret}")) } else { arguments.extend([option, secret.clone()]) }
            prop_assert!(!shown(&arguments).contains(&secret));
            prop_assert!(!shown(&[arguments[0].clone(), secret.clone()]).contains(&secret));
            let _ = script(&arguments, None);
        }
    }
}
