//! Whose a message is, and what is disclosed of a client: by proved contacts alone, however the others are combined.

use ambient::Ids;
use domain::{ClientId, ContactProof, MergeId, Responder};
use store::{ClientFields, Disclosure, FoundClient, OutsideStages, PipelineRules, StoredTurn, TurnAnswer};

use super::{Written, started, written};
use crate::support::{World, conformance};

conformance! {
    a_typed_contact_never_joins_a_client,
    a_chain_of_typed_contacts_joins_no_one,
    a_message_without_a_proved_sender_gets_no_history,
    a_program_that_names_a_client_gets_no_history_of_it,
    contacts_that_a_program_states_prove_nothing,
    a_contact_is_proved_later_and_belongs_to_one_client,
    a_merge_by_a_person_opens_the_history_and_its_undoing_closes_it,
    users_of_two_accounts_of_ones_own_channel_are_two_clients,
    the_owner_of_an_id_that_was_typed_is_the_client_that_proved_it,
    a_message_without_proof_changes_no_user_of_a_chat,
}

const VICTIM: &str = "email:mail/victim@example.com#1";
const ADDRESS: &str = "victim@example.com";
const STRANGER: &str = "telegram:bot/6660001";
const EVERYTHING: u32 = 50;

impl World {
    /// The victim has written by an authenticated mail, and is answered.
    async fn victim(&self, rules: &PipelineRules) -> ClientId {
        let mail = Written {
            user: Some(ADDRESS),
            sender_proof: ContactProof::Mail,
            email: Some(ADDRESS),
            email_proof: ContactProof::Mail,
            ..written(VICTIM, "secret")
        };
        self.taken_in(rules, mail).await;
        self.client_of(VICTIM).await
    }

    async fn disclosed(&self, turn: &StoredTurn) -> Disclosure {
        self.store.pipeline().disclose(turn, EVERYTHING).await.unwrap()
    }

    /// What is disclosed to the program that answers in a chat.
    async fn disclosed_in(&self, address: &str) -> Disclosure {
        let turns = self.responding().await;
        let turn = turns.iter().rev().find(|turn| turn.chat.to_string() == address).expect(address);
        self.disclosed(turn).await
    }

    /// Nothing is answered, and the next message is the program's again.
    async fn ends(&self, turn: &StoredTurn) {
        let nothing = TurnAnswer::Nothing { why: "a test".to_owned() };
        self.store.pipeline().answer(turn.id, nothing, ClientFields::default()).await.unwrap();
    }

    async fn suggested(&self, client: ClientId) -> Vec<ClientId> {
        let found = self.store.pipeline().suggestions(client).await.unwrap();
        found.into_iter().map(|(other, _)| other).collect()
    }
}

fn says_secret(disclosed: &Disclosure) -> bool {
    disclosed.history.iter().any(|message| message.text.as_str() == "text of secret")
}

async fn a_typed_contact_never_joins_a_client(world: World) {
    let rules = started(&world, Responder::Ai).await;
    let victim = world.victim(&rules).await;
    world
        .taken_in(
            &rules,
            Written { phone: Some("+70000000001"), ..written("whatsapp:phone/70000000001@c.us", "w-1") },
        )
        .await;
    let known = world.client_of("whatsapp:phone/70000000001@c.us").await;
    let spellings = ["victim@example.com", "VICTIM@Example.com ", " victim@example.com"];
    for (place, email) in spellings.into_iter().enumerate() {
        for proof in [ContactProof::Typed, ContactProof::Program, ContactProof::Operator] {
            let address = format!("telegram:bot/{place}{}", proof.as_str());
            let typed = Written { email: Some(email), email_proof: proof, ..written(&address, &address) };
            world.taken_in(&rules, typed).await;
            let stranger = world.client_of(&address).await;
            assert_ne!(stranger, victim, "{email} {proof:?}");
            assert!(!says_secret(&world.disclosed_in(&address).await), "{email} {proof:?}");
        }
    }
    // A form with the address and the number of two others is a client of its own.
    let form =
        Written { phone: Some("+70000000001"), email: Some(ADDRESS), ..written("form:site/f-1", "f-1") };
    world.taken_in(&rules, form).await;
    let lead = world.client_of("form:site/f-1").await;
    assert!(lead != victim && lead != known);
    let suggested = world.suggested(lead).await;
    assert!(suggested.contains(&victim) && suggested.contains(&known), "{suggested:?}");
    let victims = world.store.pipeline().client(victim).await.unwrap().unwrap();
    assert_eq!((victims.phone, victims.email.as_deref()), (None, Some(ADDRESS)));
}

async fn a_chain_of_typed_contacts_joins_no_one(world: World) {
    let rules = started(&world, Responder::Ai).await;
    let victim = world.victim(&rules).await;
    let phones = ["+70000000002", "+70000000003"];
    // Each link has a contact of the one before it and one of its own.
    let links = [
        (Some(ADDRESS), phones[0], "form:site/f-1"),
        (None, phones[0], "form:site/f-2"),
        (Some("other@example.com"), phones[0], "form:site/f-3"),
        (Some("other@example.com"), phones[1], "form:site/f-4"),
    ];
    for (email, phone, address) in links {
        world.taken_in(&rules, Written { phone: Some(phone), email, ..written(address, address) }).await;
        assert_ne!(world.client_of(address).await, victim, "{address}");
    }
    // The owner of one of the numbers is none of them.
    let owner = "whatsapp:phone/70000000002@c.us";
    world.taken_in(&rules, Written { phone: Some(phones[0]), ..written(owner, "w-1") }).await;
    let client = world.client_of(owner).await;
    for address in [VICTIM, "form:site/f-1", "form:site/f-2", "form:site/f-3", "form:site/f-4"] {
        assert_ne!(world.client_of(address).await, client, "{address}");
    }
    let disclosed = world.disclosed_in(owner).await;
    assert!(disclosed.is_proved && disclosed.history.is_empty(), "{disclosed:?}");
}

async fn a_message_without_a_proved_sender_gets_no_history(world: World) {
    let rules = started(&world, Responder::Ai).await;
    let victim = world.victim(&rules).await;
    assert!(world.disclosed_in(VICTIM).await.is_proved);
    // In a thread of its own a forged mail is a client of its own.
    let forged = |address, id| Written {
        user: Some(ADDRESS),
        sender_proof: ContactProof::Typed,
        email: Some(ADDRESS),
        ..written(address, id)
    };
    let other = "email:mail/victim@example.com#2";
    world.taken_in(&rules, forged(other, "forged-1")).await;
    let stranger = world.client_of(other).await;
    assert_ne!(stranger, victim);
    assert_eq!(world.suggested(stranger).await, [victim]);
    assert!(!says_secret(&world.disclosed_in(other).await));
    // In the thread of the victim it gets nothing, and changes nothing of the victim.
    let pipeline = world.store.pipeline();
    for turn in world.responding().await {
        world.ends(&turn).await;
    }
    let typed = Written { phone: Some("+70000000066"), ..forged(VICTIM, "forged-2") };
    world.taken_in(&rules, typed).await;
    let turn =
        pipeline.open_turns(10).await.unwrap().into_iter().find(|turn| turn.chat.to_string() == VICTIM);
    let turn = turn.unwrap();
    let disclosed = world.disclosed(&turn).await;
    assert!(!disclosed.is_proved && disclosed.history.is_empty(), "{disclosed:?}");
    let shown = disclosed.client.unwrap();
    assert_eq!((shown.name, shown.phone, shown.email), (None, None, None));
    assert_eq!((disclosed.writer_identity.user, disclosed.writer_identity.identities.len()), (None, 0));
    assert_eq!(pipeline.client(victim).await.unwrap().unwrap().phone, None);
    // What was forged is no history of the victim afterwards.
    world.ends(&turn).await;
    let mail = Written { user: Some(ADDRESS), sender_proof: ContactProof::Mail, ..written(VICTIM, "again") };
    world.taken_in(&rules, mail).await;
    let turn =
        pipeline.open_turns(10).await.unwrap().into_iter().find(|turn| turn.chat.to_string() == VICTIM);
    let disclosed = world.disclosed(&turn.unwrap()).await;
    assert!(says_secret(&disclosed));
    assert!(
        !disclosed.history.iter().any(|message| message.text.as_str().contains("forged")),
        "{disclosed:?}"
    );
}

async fn a_program_that_names_a_client_gets_no_history_of_it(world: World) {
    let rules = started(&world, Responder::Ai).await;
    let victim = world.victim(&rules).await;
    let outside = OutsideStages { resolve: true, ..OutsideStages::default() };
    let rules = PipelineRules { outside, ..rules };
    let (pipeline, ids) = (world.store.pipeline(), Ids::new(world.clock.clone()));
    for id in ["t-1", "t-2"] {
        world.taken_in(&rules, written(STRANGER, id)).await;
        let turn =
            pipeline.open_turns(10).await.unwrap().into_iter().find(|turn| turn.chat.to_string() == STRANGER);
        let turn = turn.unwrap();
        let fields = ClientFields { phone: Some("+70000000066".to_owned()), ..ClientFields::default() };
        let found = FoundClient { client: Some(victim), fields };
        assert!(pipeline.resolved(turn.id, found, &ids).await.unwrap());
        world.work(&rules).await;
        let turn = pipeline.turn(turn.id).await.unwrap().unwrap();
        assert_eq!(turn.client, Some(victim));
        let disclosed = world.disclosed(&turn).await;
        assert!(!disclosed.is_proved && disclosed.history.is_empty(), "{disclosed:?}");
        let shown = disclosed.client.unwrap();
        assert_eq!((shown.id, shown.email), (victim, None));
        assert_eq!(pipeline.client(victim).await.unwrap().unwrap().phone, None);
        world.ends(&turn).await;
    }
}

async fn contacts_that_a_program_states_prove_nothing(world: World) {
    let rules = started(&world, Responder::Ai).await;
    let victim = world.victim(&rules).await;
    let outside = OutsideStages { resolve: true, ..OutsideStages::default() };
    let outside = PipelineRules { outside, ..rules.clone() };
    let (pipeline, ids) = (world.store.pipeline(), Ids::new(world.clock.clone()));
    // The resolver repeats what the stranger wrote, and so does a model.
    world.taken_in(&outside, written(STRANGER, "t-1")).await;
    let turns = pipeline.open_turns(10).await.unwrap();
    let turn = turns.into_iter().find(|turn| turn.chat.to_string() == STRANGER).unwrap();
    let fields =
        ClientFields { name: None, phone: Some("+70000000001".to_owned()), email: Some(ADDRESS.to_owned()) };
    let found = FoundClient { client: None, fields: fields.clone() };
    assert!(pipeline.resolved(turn.id, found, &ids).await.unwrap());
    world.work(&rules).await;
    let stranger = world.client_of(STRANGER).await;
    assert_ne!(stranger, victim);
    let turn = pipeline.turn(turn.id).await.unwrap().unwrap();
    let nothing = TurnAnswer::Nothing { why: "a test".to_owned() };
    assert!(pipeline.answer(turn.id, nothing, fields).await.unwrap());
    let known = pipeline.identities(stranger).await.unwrap();
    let contacts = known.iter().filter(|one| ["phone", "email"].contains(&one.identity.kind.as_str()));
    let proofs: Vec<_> = contacts.map(|one| one.proof).collect();
    assert_eq!(proofs, [ContactProof::Program, ContactProof::Program]);
    // Who owns the number comes to no client of the stranger.
    let owner = "whatsapp:phone/70000000001@c.us";
    world.taken_in(&rules, Written { phone: Some("+70000000001"), ..written(owner, "w-1") }).await;
    assert_ne!(world.client_of(owner).await, stranger);
}

async fn a_contact_is_proved_later_and_belongs_to_one_client(world: World) {
    let rules = started(&world, Responder::Human).await;
    let phone = Some("+70000000001");
    let typed = Written { phone, ..written("form:site/f-1", "f-1") };
    world.taken_in(&rules, typed).await;
    let shop = "telegram:bot/2001";
    world.taken_in(&rules, written(shop, "t-1")).await;
    world.taken_in(&rules, Written { phone, ..written(shop, "t-2") }).await;
    let (lead, client) = (world.client_of("form:site/f-1").await, world.client_of(shop).await);
    assert_ne!(lead, client);
    let pipeline = world.store.pipeline();
    let proof_of = async |client: ClientId| {
        let known = pipeline.identities(client).await.unwrap();
        known.into_iter().find(|one| one.identity.kind == "phone").map(|one| one.proof)
    };
    assert_eq!(proof_of(client).await, Some(ContactProof::Provider));
    assert_eq!(proof_of(lead).await, Some(ContactProof::Typed));
    world.taken_in(&rules, Written { phone, ..written("whatsapp:phone/70000000001@c.us", "w-1") }).await;
    assert_eq!(world.client_of("whatsapp:phone/70000000001@c.us").await, client);
    // What an operator enters is no proof.
    let fields = ClientFields { email: Some(ADDRESS.to_owned()), ..ClientFields::default() };
    pipeline.change_client(client, fields).await.unwrap();
    let victim = world.victim(&rules).await;
    assert_ne!(victim, client);
}

async fn a_merge_by_a_person_opens_the_history_and_its_undoing_closes_it(world: World) {
    let rules = started(&world, Responder::Ai).await;
    let victim = world.victim(&rules).await;
    let typed = Written { email: Some(ADDRESS), ..written(STRANGER, "t-1") };
    world.taken_in(&rules, typed).await;
    let (stranger, pipeline) = (world.client_of(STRANGER).await, world.store.pipeline());
    assert!(!says_secret(&world.disclosed_in(STRANGER).await));
    let merge = MergeId::from_uuid(Ids::new(world.clock.clone()).next());
    pipeline.merge(merge, victim, stranger, "olga").await.unwrap();
    let disclosed = world.disclosed_in(STRANGER).await;
    assert!(disclosed.is_proved && says_secret(&disclosed));
    // The address is still the one that the victim proved.
    let known = pipeline.identities(victim).await.unwrap();
    let of_mail: Vec<_> =
        known.iter().filter(|one| one.identity.kind == "email").map(|one| one.proof).collect();
    assert_eq!(of_mail, [ContactProof::Mail]);
    pipeline.split(merge).await.unwrap();
    assert!(!says_secret(&world.disclosed_in(STRANGER).await));
    assert!(world.disclosed_in(VICTIM).await.is_proved);
    let known = pipeline.identities(victim).await.unwrap();
    assert!(known.iter().any(|one| one.identity.value == ADDRESS && one.proof == ContactProof::Mail));
}

async fn users_of_two_accounts_of_ones_own_channel_are_two_clients(world: World) {
    let rules = started(&world, Responder::Ai).await;
    let visitor = |address, id| Written { user: Some("1"), ..written(address, id) };
    world.taken_in(&rules, visitor("webchat:site1/7", "secret")).await;
    let client = world.client_of("webchat:site1/7").await;
    world.taken_in(&rules, visitor("webchat:site2/7", "w-2")).await;
    assert_ne!(world.client_of("webchat:site2/7").await, client);
    assert!(!says_secret(&world.disclosed_in("webchat:site2/7").await));
    // On the same site the visitor is known in each chat.
    world.taken_in(&rules, visitor("webchat:site1/8", "w-3")).await;
    assert_eq!(world.client_of("webchat:site1/8").await, client);
    assert!(says_secret(&world.disclosed_in("webchat:site1/8").await));
    // A channel that is called as a kind of contact proves none.
    world.taken_in(&rules, Written { phone: Some("+70000000001"), ..written("avito:shop/1", "a-1") }).await;
    world.taken_in(&rules, Written { user: Some("+70000000001"), ..written("phone:main/1", "p-1") }).await;
    assert_ne!(world.client_of("phone:main/1").await, world.client_of("avito:shop/1").await);
}

async fn the_owner_of_an_id_that_was_typed_is_the_client_that_proved_it(world: World) {
    let rules = started(&world, Responder::Ai).await;
    let victim = world.victim(&rules).await;
    let mail = |address, id, sender_proof| Written {
        user: Some(ADDRESS),
        sender_proof,
        email: Some(ADDRESS),
        email_proof: sender_proof,
        ..written(address, id)
    };
    // A stranger begins a thread in the name of the victim, who answers there.
    let thread = "email:mail/victim@example.com#2";
    world.taken_in(&rules, mail(thread, "forged", ContactProof::Typed)).await;
    assert_ne!(world.client_of(thread).await, victim);
    for turn in world.responding().await {
        world.ends(&turn).await;
    }
    world.taken_in(&rules, mail(thread, "answer", ContactProof::Mail)).await;
    assert_eq!(world.client_of(thread).await, victim);
    let disclosed = world.disclosed_in(thread).await;
    assert!(disclosed.is_proved && says_secret(&disclosed), "{disclosed:?}");
    let target = world.store.pipeline().reply_target(victim, Some(thread.parse().unwrap())).await.unwrap();
    assert!(target.is_some());
    // An owner who is not known elsewhere stays the client of the thread.
    let other = "email:mail/other@example.com#3";
    let other_mail = |id, sender_proof| Written {
        user: Some("other@example.com"),
        email: Some("other@example.com"),
        ..mail(other, id, sender_proof)
    };
    world.taken_in(&rules, other_mail("typed", ContactProof::Typed)).await;
    let client = world.client_of(other).await;
    world.taken_in(&rules, other_mail("proved", ContactProof::Mail)).await;
    assert_eq!(world.client_of(other).await, client);
}

async fn a_message_without_proof_changes_no_user_of_a_chat(world: World) {
    let rules = started(&world, Responder::Ai).await;
    let from = |address, id, user, sender_proof| Written { user, sender_proof, ..written(address, id) };
    let (victim, owner) = (Some("15101"), Some("15102"));
    let (own, new) = ("avito:shop/u2i-1", "avito:shop/u2i-2");
    let is_user = async |address: &str, user: Option<&str>| {
        let (chat, user) = (address.parse().unwrap(), user.map(str::to_owned));
        world.store.pipeline().is_user_of(chat, user).await.unwrap()
    };
    assert!(!is_user(own, owner).await && !is_user(own, None).await);
    world.taken_in(&rules, from("avito:shop/v", "secret", victim, ContactProof::ChannelId)).await;
    world.taken_in(&rules, from(own, "m-1", owner, ContactProof::ChannelId)).await;
    assert!(is_user(own, owner).await && is_user(own, None).await && !is_user(own, victim).await);
    for turn in world.responding().await {
        world.ends(&turn).await;
    }
    world.taken_in(&rules, from(own, "m-2", victim, ContactProof::Typed)).await;
    assert!(is_user(own, owner).await && !is_user(own, victim).await);
    let disclosed = world.disclosed_in(own).await;
    assert!(!disclosed.is_proved && !says_secret(&disclosed), "{disclosed:?}");
    let kept = world.store.channels().chat(&own.parse().unwrap()).await.unwrap().unwrap();
    assert_eq!(kept.user.as_deref(), owner);
    // A chat that begins with a message without proof has no proved user, also if a proved one names none.
    for (id, user, proof) in [
        ("m-3", victim, ContactProof::Typed),
        ("m-4", Some("15103"), ContactProof::Typed),
        ("m-5", None, ContactProof::ChannelId),
    ] {
        world.taken_in(&rules, from(new, id, user, proof)).await;
        assert!(!is_user(new, victim).await && !is_user(new, Some("15103")).await, "{id}");
        assert!(!says_secret(&world.disclosed_in(new).await), "{id}");
        for turn in world.responding().await {
            world.ends(&turn).await;
        }
    }
}
