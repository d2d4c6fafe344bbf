//! Whether the receiving mail server, which the owner trusts, says that a mail comes from the domain of its sender (RFC 8601). Pure.

use mail_parser::Message;

use super::inbound::sound;

const HEADER: &str = "Authentication-Results";
/// The longest header that is read.
const LONGEST: usize = 16 * 1024;

/// Whether the sender of a mail is authenticated: by the topmost result, if it is of the server that the owner trusts. Results below it
/// may be from anybody.
pub(super) fn is_authenticated(mail: &Message<'_>, trusted: Option<&str>) -> bool {
    let Some(trusted) = trusted else { return false };
    let named = |name: &str| {
        let name = name.to_owned();
        mail.headers_raw().filter(move |(known, _)| known.eq_ignore_ascii_case(&name)).map(|(_, value)| value)
    };
    // With two senders it is unknown whose result it is.
    let mut from = mail.from().into_iter().flat_map(mail_parser::Address::iter);
    let (Some(sender), None, 1) = (from.next(), from.next(), named("From").count()) else { return false };
    let Some(domain) = sender.address().and_then(sound).and_then(|address| domain_of(&address)) else {
        return false;
    };
    let Some(results) = named(HEADER).next().filter(|value| value.len() <= LONGEST) else { return false };
    Results::read(results)
        .is_some_and(|results| results.server == trusted.to_lowercase() && results.pass(&domain))
}

fn domain_of(address: &str) -> Option<String> {
    Some(address.rsplit_once('@')?.1.trim_end_matches('.').to_lowercase())
}

/// What one server says.
#[derive(Debug, PartialEq, Eq)]
struct Results {
    /// The server (authserv-id), in small letters.
    server: String,
    methods: Vec<Method>,
}

/// What one method came to.
#[derive(Debug, PartialEq, Eq)]
struct Method {
    name: String,
    result: String,
    /// The properties, such as `header.d`, in small letters.
    properties: Vec<(String, String)>,
}

impl Results {
    /// Reads the value of the header; none where it is not well formed.
    fn read(value: &str) -> Option<Self> {
        let tokens = tokens(value)?;
        let mut parts = tokens.split(|token| *token == Token::End);
        let server = match parts.next()? {
            // A version may stand behind the server.
            [Token::Word(server)] | [Token::Word(server), Token::Word(_)] => server.clone(),
            _ => return None,
        };
        let methods = parts.filter_map(Method::read).collect();
        Some(Self { server, methods })
    }

    /// Whether DMARC passed for the domain of the sender; where DMARC had no say, whether DKIM or SPF passed for that very domain.
    fn pass(&self, domain: &str) -> bool {
        let of =
            |name: &str| self.methods.iter().filter(move |method| method.name == name).collect::<Vec<_>>();
        let dmarc = of("dmarc");
        if dmarc.iter().any(|method| !matches!(method.result.as_str(), "pass" | "none")) {
            return false;
        }
        let passed = |method: &&Method| method.result == "pass";
        if dmarc.iter().any(passed) {
            let named = dmarc.iter().filter_map(|method| method.property("header.from"));
            return named.into_iter().all(|from| from.rsplit('@').next() == Some(domain));
        }
        let is_domain = |value: &str| is_same_domain(value.rsplit('@').next().unwrap_or_default(), domain);
        let dkim = of("dkim").into_iter().filter(passed).any(|method| {
            let named = method.property("header.d").or_else(|| method.property("header.i"));
            named.is_some_and(is_domain)
        });
        dkim || of("spf")
            .into_iter()
            .filter(passed)
            .any(|method| method.property("smtp.mailfrom").is_some_and(is_domain))
    }
}

/// Whether what was authenticated is the domain of the sender. Domains above and below may be of others.
fn is_same_domain(authenticated: &str, domain: &str) -> bool {
    authenticated.trim_end_matches('.') == domain
}

impl Method {
    fn read(tokens: &[Token]) -> Option<Self> {
        let mut pairs = Vec::new();
        let mut rest = tokens;
        while let [Token::Word(name), Token::Equals, Token::Word(value), after @ ..] = rest {
            pairs.push((name.clone(), value.clone()));
            rest = after;
        }
        let (name, result) = pairs.first()?;
        // `dkim/1` is a method with its version.
        let name = name.split('/').next().unwrap_or_default().to_owned();
        rest.is_empty().then(|| Self { name, result: result.clone(), properties: pairs[1..].to_vec() })
    }

    fn property(&self, name: &str) -> Option<&str> {
        self.properties.iter().find(|(known, _)| known == name).map(|(_, value)| value.as_str())
    }
}

#[derive(Debug, Clone, PartialEq, Eq)]
enum Token {
    /// A word or a quoted text, in small letters.
    Word(String),
    Equals,
    /// The end of a result.
    End,
}

/// The words of a header without its comments, which may be one in another. Quoted texts are one word, whatever stands in them.
fn tokens(value: &str) -> Option<Vec<Token>> {
    let mut tokens = Vec::new();
    let (mut word, mut depth, mut has_word) = (String::new(), 0_u32, false);
    let mut letters = value.chars();
    let flush = |word: &mut String, has_word: &mut bool, tokens: &mut Vec<Token>| {
        if *has_word {
            tokens.push(Token::Word(std::mem::take(word).to_lowercase()));
        }
        *has_word = false;
    };
    while let Some(letter) = letters.next() {
        if depth > 0 {
            match letter {
                '\\' => drop(letters.next()),
                '(' => depth += 1,
                ')' => depth -= 1,
                _ => {}
            }
            continue;
        }
        match letter {
            '(' => {
                flush(&mut word, &mut has_word, &mut tokens);
                depth = 1;
            }
            '"' => {
                has_word = true;
                loop {
                    match letters.next()? {
                        '"' => break,
                        '\\' => word.push(letters.next()?),
                        other => word.push(other),
                    }
                }
            }
            // Within a value, such as one of base64, it is a letter as others.
            '=' if has_word && tokens.last() == Some(&Token::Equals) => word.push('='),
            ';' | '=' => {
                flush(&mut word, &mut has_word, &mut tokens);
                tokens.push(if letter == ';' { Token::End } else { Token::Equals });
            }
            letter if letter.is_whitespace() => flush(&mut word, &mut has_word, &mut tokens),
            other => {
                has_word = true;
                word.push(other);
            }
        }
    }
    flush(&mut word, &mut has_word, &mut tokens);
    (depth == 0).then_some(tokens)
}

#[cfg(test)]
mod tests {
    use mail_parser::MessageParser;
    use proptest::prelude::*;

    use super::*;

    const TRUSTED: &str = "mx.example.com";

    fn is_proved(head: &str) -> bool {
        let raw = format!("{head}\n\nText").replace('\n', "\r\n");
        let mail = MessageParser::default().parse(raw.as_bytes()).expect("a mail");
        is_authenticated(&mail, Some(TRUSTED))
    }

    fn results(results: &str) -> bool {
        is_proved(&format!("Authentication-Results: {results}\nFrom: Anna <anna@example.org>"))
    }

    #[test]
    fn the_trusted_server_authenticates() {
        for passed in [
            "mx.example.com; dmarc=pass (p=none) header.from=example.org",
            "MX.example.com 1; spf=fail smtp.mailfrom=x@example.net;\n dmarc=pass header.from=EXAMPLE.org",
            "mx.example.com; dkim=pass header.d=example.org header.s=k1 header.b=abc=",
            "mx.example.com; dmarc=none; dkim/1=pass header.i=@example.org",
            "mx.example.com; spf=pass smtp.mailfrom=bounce@example.org",
        ] {
            assert!(results(passed), "{passed}");
        }
    }

    #[test]
    fn nothing_else_authenticates() {
        for failed in [
            "mx.example.com; none",
            "mx.example.com",
            "other.example.com; dmarc=pass header.from=example.org",
            "mx.example.com.evil.example; dmarc=pass",
            "mx.example.com; dmarc=fail header.from=example.org",
            "mx.example.com; dmarc=fail header.from=example.org; dkim=pass header.d=example.org",
            "mx.example.com; dmarc=temperror; spf=pass smtp.mailfrom=a@example.org",
            "mx.example.com; dmarc=pass header.from=evil.example",
            "mx.example.com; dmarc=pass; dmarc=fail",
            "mx.example.com; dmarc=fail (dmarc=pass header.from=example.org)",
            "mx.example.com; (dmarc=pass; ) dmarc=fail",
            "mx.example.com; spf=pass smtp.mailfrom=\"x; dmarc=pass header.from=example.org\"@evil.example",
            "mx.example.com; spf=pass smtp.mailfrom=\"x@example.org\"@evil.example",
            "mx.example.com; dkim=pass header.d=evil.example reason=\"dmarc=pass\"",
            "mx.example.com; dkim=pass header.d=evilexample.org",
            "mx.example.com; dkim=pass header.d=mail.example.org",
            "mx.example.com; dkim=pass header.d=org",
            "mx.example.com; dkim=pass",
            "mx.example.com; spf=pass smtp.helo=example.org",
            "mx.example.com; dkim=passed header.d=example.org",
            "mx.example.com (; dmarc=pass",
            "\"mx.example.com\" ; dmarc",
        ] {
            assert!(!results(failed), "{failed}");
        }
    }

    #[test]
    fn only_the_topmost_result_counts() {
        let (ours, theirs) = ("mx.example.com; dmarc=pass", "evil.example; dmarc=pass");
        let from = "From: anna@example.org";
        let head = |first: &str, second: &str| {
            format!("Authentication-Results: {first}\nAuthentication-Results: {second}\n{from}")
        };
        assert!(is_proved(&head(ours, theirs)));
        assert!(!is_proved(&head(theirs, ours)));
        assert!(!is_proved(&head("mx.example.com; dmarc=fail", ours)));
        assert!(!is_proved(from));
        // A header that only looks like it.
        assert!(!is_proved(&format!("X-Authentication-Results: {ours}\n{from}")));
    }

    #[test]
    fn a_mail_with_several_senders_has_none() {
        let ours = "Authentication-Results: mx.example.com; dmarc=pass";
        assert!(!is_proved(&format!("{ours}\nFrom: anna@example.org, boris@example.org")));
        assert!(!is_proved(&format!("{ours}\nFrom: anna@example.org\nFrom: boris@example.org")));
        assert!(!is_proved(&format!("{ours}\nFrom: anna")));
        let mail = format!("{ours}\r\nFrom: anna@example.org\r\n\r\nText");
        let mail = MessageParser::default().parse(mail.as_bytes()).expect("a mail");
        assert!(!is_authenticated(&mail, None));
    }

    proptest! {
        #[test]
        fn any_header_is_read(value in "[ -~]{0,80}", more in "(mx.example.com|dmarc|spf|=|;|pass|\\(|\\)|\"|\\\\| ){0,20}") {
            let _ = results(&value.replace(['\r', '\n'], ""));
            let _ = results(&more);
        }
    }
}
