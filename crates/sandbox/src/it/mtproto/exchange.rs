//! The key exchange, with a client that does its half by hand.

use base64::Engine;
use grammers_crypto::aes::{ige_decrypt, ige_encrypt};
use grammers_crypto::rsa::{Key, encrypt_hashed};
use grammers_crypto::{AuthKey, factorize, generate_key_data_from_nonce};
use grammers_tl_types::{Cursor, Deserializable, RemoteCall, Serializable, enums, functions, types};
use num_bigint::BigUint;
use sandbox::keys::AuthKeyId;
use sha1::{Digest, Sha1};

use super::client::{Client, Received};
use super::framing::{Form, Framing};
use super::world::{Counted, DC, Running, start};

/// How the client hides its first secret.
#[derive(Clone, Copy)]
enum Padding {
    Hash,
    RsaPad,
}

/// The public key as its text has it.
fn modulus(centre: &Running) -> BigUint {
    let pem = centre.rsa.public_pem();
    let body: String = pem.lines().filter(|line| !line.starts_with('-')).collect();
    let der = base64::engine::general_purpose::STANDARD.decode(body).unwrap();
    // A sequence of 256 bytes and the exponent.
    assert_eq!((&der[..9], &der[265..]), (&[0x30, 0x82, 1, 10, 2, 0x82, 1, 1, 0][..], &[2, 3, 1, 0, 1][..]));
    BigUint::from_bytes_be(&der[9..265])
}

fn encrypt(padding: Padding, modulus: &BigUint, data: &[u8]) -> Vec<u8> {
    match padding {
        Padding::RsaPad => encrypt_hashed(data, &Key::new(&modulus.to_string(), "65537").unwrap(), &[3; 224]),
        Padding::Hash => {
            let mut clear = [&Sha1::digest(data)[..], data].concat();
            clear.resize(255, 8);
            BigUint::from_bytes_be(&clear).modpow(&BigUint::from(65537_u32), modulus).to_bytes_be()
        }
    }
}

fn minimal(number: u64) -> Vec<u8> {
    BigUint::from(number).to_bytes_be()
}

async fn ask<R: RemoteCall>(client: &mut Client, request: &R) -> Result<R::Return, Received> {
    let (id, body) = (client.next_id(), request.to_bytes());
    let length = i32::try_from(body.len()).unwrap();
    let packet = [&[0; 8], &id.to_le_bytes()[..], &length.to_le_bytes(), &body].concat();
    client.send_packet(&packet).await;
    let answer = client.hear_packet().await?;
    assert_eq!(answer[..8], [0; 8]);
    assert_eq!(answer[8] & 3, 1);
    Ok(R::Return::from_bytes(&answer[20..]).unwrap())
}

/// The client's state after the second step.
struct Halfway {
    client: Client,
    nonce: [u8; 16],
    server_nonce: [u8; 16],
    new_nonce: [u8; 32],
    prime: BigUint,
    generator: u32,
    their_half: BigUint,
}

/// What a client may get wrong in the second step.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Wrong {
    Nothing,
    Nonce,
    InnerNonce,
    Factor,
    Fingerprint,
    Noise,
    Temporary,
}

async fn connect(centre: &Running) -> Client {
    Client::connect(centre.address, [0; 256]).await
}

async fn halfway(
    centre: &Running,
    mut client: Client,
    padding: Padding,
    dc: Option<i32>,
    wrong: Wrong,
) -> Result<Halfway, Received> {
    let (nonce, new_nonce) = ([5; 16], [6; 32]);
    let enums::ResPq::Pq(pq) = ask(&mut client, &functions::ReqPqMulti { nonce }).await?;
    assert_eq!((pq.nonce, &pq.server_public_key_fingerprints), (nonce, &vec![centre.rsa.fingerprint()]));
    let (p, q) = factorize(u64::from_be_bytes(pq.pq.clone().try_into().unwrap()));
    assert!(p < q && p > 1);
    let inner_nonce = if wrong == Wrong::InnerNonce { [1; 16] } else { nonce };
    let (server_nonce, pq, p, q) = (pq.server_nonce, pq.pq, minimal(p), minimal(q));
    let inner = match dc {
        _ if wrong == Wrong::Temporary => enums::PQInnerData::Temp(types::PQInnerDataTemp {
            pq,
            p: p.clone(),
            q: q.clone(),
            nonce: inner_nonce,
            server_nonce,
            new_nonce,
            expires_in: 60,
        }),
        Some(dc) => enums::PQInnerData::Dc(types::PQInnerDataDc {
            pq,
            p: p.clone(),
            q: q.clone(),
            nonce: inner_nonce,
            server_nonce,
            new_nonce,
            dc,
        }),
        None => enums::PQInnerData::Data(types::PQInnerData {
            pq,
            p: p.clone(),
            q: q.clone(),
            nonce: inner_nonce,
            server_nonce,
            new_nonce,
        }),
    };
    let encrypted_data = if wrong == Wrong::Noise {
        vec![1; 256]
    } else {
        encrypt(padding, &modulus(centre), &inner.to_bytes())
    };
    let request = functions::ReqDhParams {
        nonce: if wrong == Wrong::Nonce { [1; 16] } else { nonce },
        server_nonce,
        p: if wrong == Wrong::Factor { vec![3] } else { p },
        q,
        public_key_fingerprint: centre.rsa.fingerprint() ^ i64::from(wrong == Wrong::Fingerprint),
        encrypted_data,
    };
    let enums::ServerDhParams::Ok(params) = ask(&mut client, &request).await? else { panic!("refused") };
    let (key, vector) = generate_key_data_from_nonce(&server_nonce, &new_nonce);
    let mut answer = params.encrypted_answer;
    ige_decrypt(&mut answer, &key, &vector);
    let mut cursor = Cursor::from_slice(&answer[20..]);
    let enums::ServerDhInnerData::Data(inner) = enums::ServerDhInnerData::deserialize(&mut cursor).unwrap();
    assert_eq!(answer[..20], Sha1::digest(&answer[20..20 + cursor.pos()])[..]);
    assert_eq!((inner.nonce, inner.server_nonce), (nonce, server_nonce));
    Ok(Halfway {
        client,
        nonce,
        server_nonce,
        new_nonce,
        prime: BigUint::from_bytes_be(&inner.dh_prime),
        generator: u32::try_from(inner.g).unwrap(),
        their_half: BigUint::from_bytes_be(&inner.g_a),
    })
}

impl Halfway {
    /// Our half, and the key that it makes.
    fn agree(&self, secret: u8) -> (Vec<u8>, [u8; 256]) {
        let secret = BigUint::from_bytes_be(&[secret; 256]);
        let ours = BigUint::from(self.generator).modpow(&secret, &self.prime).to_bytes_be();
        let shared = self.their_half.modpow(&secret, &self.prime).to_bytes_be();
        let mut key = [0; 256];
        key[256 - shared.len()..].copy_from_slice(&shared);
        (ours, key)
    }

    async fn finish(
        &mut self,
        g_b: Vec<u8>,
        retry_id: i64,
    ) -> Result<enums::SetClientDhParamsAnswer, Received> {
        let (nonce, server_nonce) = (self.nonce, self.server_nonce);
        let inner = types::ClientDhInnerData { nonce, server_nonce, retry_id, g_b };
        let inner = enums::ClientDhInnerData::Data(inner).to_bytes();
        let mut data = [&Sha1::digest(&inner)[..], &inner].concat();
        data.resize(data.len().next_multiple_of(16), 4);
        let (key, vector) = generate_key_data_from_nonce(&server_nonce, &self.new_nonce);
        ige_encrypt(&mut data, &key, &vector);
        let request = functions::SetClientDhParams { nonce, server_nonce, encrypted_data: data };
        ask(&mut self.client, &request).await
    }
}

#[tokio::test]
async fn a_key_is_made_with_either_padding_and_works_at_once() {
    let centre = start().await;
    for (padding, dc) in [
        (Padding::Hash, None),
        (Padding::RsaPad, None),
        (Padding::RsaPad, Some(DC)),
        (Padding::RsaPad, Some(-10_000 - DC)),
    ] {
        for form in [Form::Full, Form::Padded] {
            let client = Client::connect_by(centre.address, [0; 256], Framing::plain(form)).await;
            let mut halfway = halfway(&centre, client, padding, dc, Wrong::Nothing).await.unwrap();
            let (ours, key) = halfway.agree(9);
            let answer = halfway.finish(ours, 0).await.unwrap();
            let enums::SetClientDhParamsAnswer::DhGenOk(ok) = answer else { panic!("{answer:?}") };
            let proof = AuthKey::from_bytes(key).calc_new_nonce_hash(&halfway.new_nonce, 1);
            assert_eq!(ok.new_nonce_hash1, proof);
            assert!(centre.keys.find(AuthKeyId::of(&key), DC).is_some());
            let mut client = Client::ready(centre.address, key).await;
            client.call(&Counted {}).await;
        }
    }
}

#[tokio::test]
async fn a_key_that_exists_is_made_again() {
    let centre = start().await;
    let mut halfway =
        halfway(&centre, connect(&centre).await, Padding::RsaPad, None, Wrong::Nothing).await.unwrap();
    let (ours, key) = halfway.agree(9);
    centre.keys.register(key, DC);
    let answer = halfway.finish(ours, 0).await.unwrap();
    let enums::SetClientDhParamsAnswer::DhGenRetry(retry) = answer else { panic!("{answer:?}") };
    let proof = AuthKey::from_bytes(key).calc_new_nonce_hash(&halfway.new_nonce, 2);
    assert_eq!(retry.new_nonce_hash2, proof);
    let hash = i64::from_le_bytes(Sha1::digest(key)[..8].try_into().unwrap());
    let answer = halfway.finish(halfway.agree(10).0, hash).await.unwrap();
    assert!(matches!(answer, enums::SetClientDhParamsAnswer::DhGenOk(_)));
}

#[tokio::test]
async fn a_weak_half_fails() {
    let centre = start().await;
    let mut halfway =
        halfway(&centre, connect(&centre).await, Padding::Hash, None, Wrong::Nothing).await.unwrap();
    let answer = halfway.finish(vec![1], 0).await.unwrap();
    let enums::SetClientDhParamsAnswer::DhGenFail(fail) = answer else { panic!("{answer:?}") };
    let mut key = [0; 256];
    key[255] = 1;
    assert_eq!(fail.new_nonce_hash3, AuthKey::from_bytes(key).calc_new_nonce_hash(&halfway.new_nonce, 3));
}

#[tokio::test]
async fn invalid_key_exchanges_are_refused() {
    let centre = start().await;
    let wrongs =
        [Wrong::Nonce, Wrong::InnerNonce, Wrong::Factor, Wrong::Fingerprint, Wrong::Noise, Wrong::Temporary];
    let other = (Some(DC + 2), Wrong::Nothing);
    for (dc, wrong) in wrongs.map(|wrong| (None, wrong)).into_iter().chain([other]) {
        let refused = halfway(&centre, connect(&centre).await, Padding::RsaPad, dc, wrong).await;
        let refused = refused.map(drop);
        assert!(matches!(refused, Err(Received::Status(-404))), "{refused:?}");
    }
    // A retry that was not asked for, and steps out of order.
    let mut early =
        halfway(&centre, connect(&centre).await, Padding::RsaPad, None, Wrong::Nothing).await.unwrap();
    let (ours, _) = early.agree(9);
    assert!(matches!(early.finish(ours.clone(), 7).await, Err(Received::Status(-404))));
    early.client = connect(&centre).await;
    assert!(matches!(early.finish(ours, 0).await, Err(Received::Status(-404))));
}
