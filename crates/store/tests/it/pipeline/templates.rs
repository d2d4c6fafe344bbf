//! Templates of answers.

use crate::support::World;

pub(super) async fn templates_are_kept_by_name(world: World) {
    let pipeline = world.store.pipeline();
    for text in ["Hello", "Hello, {{client.name}}"] {
        pipeline.save_template("greeting", text, "olga").await.unwrap();
    }
    pipeline.save_template("address", "Come by until seven.", "olga").await.unwrap();
    let names: Vec<_> = pipeline.templates().await.unwrap().into_iter().map(|one| one.name).collect();
    assert_eq!(names, ["address", "greeting"]);
    let greeting = pipeline.template("greeting").await.unwrap().unwrap();
    assert_eq!((greeting.text.as_str(), greeting.updated_by.as_str()), ("Hello, {{client.name}}", "olga"));
    assert!(pipeline.drop_template("greeting").await.unwrap());
    assert!(!pipeline.drop_template("greeting").await.unwrap());
}
