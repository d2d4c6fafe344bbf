//! `/campaign-profiles/{name}`: one browser profile with what went wrong last and a picture of it.

use access::Right;
use api::CampaignProfile;
use askama::Template;
use axum::extract::{Path, State};
use axum::response::Response;

use super::{LOCAL, find, proxy_names};
use crate::dashboard::Dashboard;
use crate::page;
use crate::view::{Linked, Section};
use crate::visitor::Visitor;
use crate::words::{CampaignsWords, ProfilesWords, translate};

#[derive(Template)]
#[template(path = "profiles/one.html")]
struct One<'a> {
    visitor: &'a Visitor,
    words: &'static ProfilesWords,
    campaigns: &'static CampaignsWords,
    profile: &'a CampaignProfile,
    proxies: &'a [String],
    may_act: bool,
    may_arrange: bool,
}

impl One<'_> {
    fn is_local(&self) -> bool {
        LOCAL.contains(&self.profile.kind.as_str())
    }

    fn chosen(&self) -> &str {
        self.profile.proxy.as_deref().unwrap_or_default()
    }

    /// The HTML beside a picture.
    fn page(picture: &str) -> String {
        format!("{}.html", picture.trim_end_matches(".png"))
    }

    fn error(&self, error: &str) -> String {
        translate(self.visitor.language, error).into_owned()
    }
}

pub(crate) async fn show(
    State(dashboard): State<Dashboard>,
    visitor: Visitor,
    Path(name): Path<String>,
) -> Response {
    let profile = match find(&dashboard, &visitor, &name).await {
        Ok(profile) => profile,
        Err(answer) => return *answer,
    };
    let may_arrange = visitor.may(Right::ArrangeAccounts);
    let proxies = if may_arrange { proxy_names(&dashboard, &visitor).await } else { Vec::new() };
    let body = One {
        visitor: &visitor,
        words: ProfilesWords::of(visitor.language),
        campaigns: CampaignsWords::of(visitor.language),
        profile: &profile,
        proxies: &proxies,
        may_act: visitor.may(Right::Operate),
        may_arrange,
    };
    page::page(&visitor, &profile.name, Section::Campaigns, body)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::settings::tests::visitor;
    use crate::view::Language;

    #[test]
    fn a_profile_in_both_languages() {
        let profile: CampaignProfile = serde_json::from_value(json!({
            "name": "shop-1", "kind": LOCAL[0], "proxy": "socks5://10.0.0.1:1080", "state": "blocked",
            "reason": "frozen", "user_id": 7, "last_error": "the account is frozen", "last_error_at": "2026-11-20T10:00:00Z",
            "picture": "1732097251000000_shop-1.png", "campaigns": ["spring", "<summer>"], "sent_last_hour": 3,
            "max_messages_per_hour": 25, "created_at": "2026-11-01T10:00:00Z",
        }))
        .expect("a profile");
        for language in [Language::English, Language::Russian] {
            let page = One {
                visitor: &visitor(language),
                words: ProfilesWords::of(language),
                campaigns: CampaignsWords::of(language),
                profile: &profile,
                proxies: &["socks5://10.0.0.1:1080".to_owned(), "socks5://demo@10.0.0.2:1080".to_owned()],
                may_act: true,
                may_arrange: true,
            };
            insta::assert_snapshot!(format!("one_{}", language.code()), page.render().expect("drawn"));
        }
    }
}
