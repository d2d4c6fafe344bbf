//! The names by which `/mcp` may be reached, against pages that have their own name lead here (DNS rebinding). Pure.

use http::Uri;

/// The names of this machine on itself.
const LOOPBACK: [&str; 3] = ["localhost", "127.0.0.1", "[::1]"];

/// What the headers `Host` and `Origin` may say: this machine, the host of `public_url`, and those of the settings.
pub(super) fn allowed(public_url: Option<&str>, more: &[String]) -> (Vec<String>, Vec<String>) {
    let public = public_url.and_then(|url| url.parse::<Uri>().ok());
    let public = public.as_ref().and_then(Uri::host);
    let names = LOOPBACK.into_iter().chain(public).chain(more.iter().map(String::as_str));
    let hosts: Vec<String> = names.map(str::to_owned).collect();
    // The port is the listener's or a proxy's; what matters is whose name it is.
    let origins =
        hosts.iter().flat_map(|host| ["http", "https"].map(|scheme| format!("{scheme}://{host}:*")));
    let origins = origins.collect();
    (hosts, origins)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn local_public_and_configured_hosts_are_accepted() {
        let (hosts, origins) = allowed(Some("https://desk.example.com/base"), &["switchboard".to_owned()]);
        assert_eq!(hosts, ["localhost", "127.0.0.1", "[::1]", "desk.example.com", "switchboard"]);
        assert!(origins.contains(&"https://desk.example.com:*".to_owned()));
        assert_eq!(origins.len(), 2 * hosts.len());
        assert_eq!(allowed(None, &[]).0, LOOPBACK);
    }
}
