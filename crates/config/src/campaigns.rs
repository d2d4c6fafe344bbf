//! Campaigns: the browsers that some of them go through.

use std::path::PathBuf;

use ipnet::IpNet;

use crate::{
    keys::settings,
    value_kind::{NETWORKS, http_url, not_blank},
};

settings! {
    /// The section `[campaigns]`.
    pub section CampaignsSettings at "campaigns." {
        /// Private networks that the drivers of browsers, the API of Donut and the proxies of campaigns may be in. Those on this machine
        /// need `127.0.0.0/8`.
        allow_private: Vec<IpNet> = Vec::new(), like(NETWORKS), "[\"127.0.0.0/8\"]" => live;
        /// The browsers of campaigns that go through Telegram Web.
        browser: CampaignBrowserSettings;
    }
}

settings! {
    /// The section `[campaigns.browser]`.
    pub section CampaignBrowserSettings at "campaigns.browser." {
        /// The program of Chromium.
        chromium: PathBuf = PathBuf::from("chromium"), word("the path or the name of a program", not_blank);
        /// The program of its driver, of the same version; it is never downloaded.
        driver: PathBuf = PathBuf::from("chromedriver"), word("the path or the name of a program", not_blank);
        /// Further switches of Chromium: `--headless=new` on a machine without a screen.
        arguments: Vec<String> = vec!["--headless=new".to_owned()],
            words("a switch of Chromium", |text| text.starts_with("--")), "[\"--headless=new\"]";
        /// The program of Firefox.
        firefox: PathBuf = PathBuf::from("firefox"), word("the path or the name of a program", not_blank);
        /// The program of its driver; it is never downloaded.
        firefox_driver: PathBuf = PathBuf::from("geckodriver"), word("the path or the name of a program", not_blank);
        /// Further switches of Firefox: `--headless` on a machine without a screen.
        firefox_arguments: Vec<String> = vec!["--headless".to_owned()],
            words("a switch of Firefox", |text| text.starts_with("--")), "[\"--headless\"]";
        /// The address of Telegram Web K.
        web_k: String = "https://web.telegram.org/k/".to_owned(),
            word("an address that begins with http:// or https:// and ends with /", |text| {
                http_url(text) && text.ends_with('/')
            });
    }
}
