//! What a connection holds on to while nothing is in flight.

use futures::FutureExt as _;
use grammers_tl_types::Serializable as _;
use tokio::net::TcpStream;
use tokio::sync::oneshot;

use super::super::Updates;
use super::super::envelope::Envelope;
use super::super::live::{Learned, Live};
use super::centre::{Centre, clock, key, request};

/// Far more than it keeps, and far less than was there.
const LITTLE: usize = 16 * 1024;

const MUCH: usize = 512 * 1024;

#[tokio::test]
async fn memory_of_a_large_request_and_answer_is_released() {
    let (centre, clock, envelope) = (Centre::start().await, clock(), Envelope::new(&key()));
    let stream = TcpStream::connect(centre.address).await.expect("connected");
    let mut live = Live::new(stream, &envelope, &clock, Learned::nothing(&clock)).expect("random numbers");
    assert!(live.step(&mut Vec::new()).now_or_never().is_none(), "nothing to do");
    assert!(live.held() <= LITTLE, "{}", live.held());
    let (answer, mut result) = oneshot::channel();
    live.dialogue.ask(request(1, MUCH), Updates::Wanted, answer);
    let answering = async {
        let mut talk = centre.accept().await;
        let received = talk.request().await;
        talk.answer(received.requests()[0].0, &vec![7_u8; MUCH].to_bytes()).await;
        talk
    };
    let mut most = 0;
    let asking = async {
        loop {
            live.step(&mut Vec::new()).await.expect("carried on");
            most = most.max(live.held());
            if let Ok(result) = result.try_recv() {
                return result;
            }
        }
    };
    let (_talk, result) = tokio::join!(answering, asking);
    assert_eq!(result.expect("answered").len(), MUCH + 4);
    assert!(most > MUCH);
    // The next step begins with tidying up.
    assert!(live.step(&mut Vec::new()).now_or_never().is_none(), "nothing to do");
    assert!(live.held() <= LITTLE, "{}", live.held());
}
