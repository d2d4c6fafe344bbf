//! The gate over texts that models write, and over texts that no one has written yet.

use proptest::prelude::*;

use super::*;

fn read(said: &str) -> Result<String, &'static str> {
    SpokenText::read(said).map(|spoken| spoken.plain()).map_err(|why| why.word())
}

#[test]
fn thoughts_go_and_the_answer_stays() {
    for said in [
        "Да",
        "\u{feff}Да",
        "<think>Hm</think>\n\nДа",
        "Hm, the user…</think>\n\nДа",
        "<THINKING>a <think>b</think> c</THINKING>Да",
        "```\n<think>x</think>\n```\nДа",
        "<think time=\"3\">x</thinking>Да",
        "[THINK]x[/THINK]Да",
        "◁think▷x◁/think▷Да",
        "<|channel|>analysis<|message|>x<|end|><|start|>assistant<|channel|>final<|message|>Да<|return|>",
        "analysisWe answer.assistantfinalДа",
        "<|begin_of_thought|>x<|end_of_thought|><|begin_of_solution|>Да<|end_of_solution|>",
        "<think>x</think><answer>Да</answer>",
        "<|im_start|>assistant\nДа<|im_end|>\n",
        "<s>Да</s>",
        "Да<｜end▁of▁sentence｜>",
        "**Да**",
        "<p>Да</p>",
        "assistant: Да",
        "model\nДа",
        "Ассистент: Да",
        "**Ассистент:** Да",
        "**AI Assistant**: Да",
        "ИИ-ассистент:\nДа",
        "Bot: Да",
        "<think>x</think>\nАссистент: Да",
        "[|assistant|]Да[|endofturn|]",
        "[CLS] Да [SEP]",
        "Final Answer: Да",
        "**Ответ:** Да",
        "Клиенту: Да",
    ] {
        assert_eq!(read(said).as_deref(), Ok("Да"), "{said}");
    }
}

#[test]
fn what_is_left_is_for_a_person() {
    for (said, word) in [
        ("", "empty"),
        (" \u{200b}\n", "empty"),
        ("<|im_end|>", "empty"),
        ("<think>Hm", "thoughts"),
        ("Да. <think>Hm", "thoughts"),
        ("<think>Hm</think>", "thoughts"),
        ("Thought: I should answer.\nДа", "thoughts"),
        ("**Thinking:** ok\n\nДа", "thoughts"),
        ("&lt;think&gt;x&lt;/think&gt;Да", "thoughts"),
        ("<th\u{200d}ink>x</th\u{200d}ink>Да", "thoughts"),
        ("<tool_call>{\"name\":\"reply\"}</tool_call>", "tool_markup"),
        ("<function=reply><parameter=text>Да</parameter></function>", "tool_markup"),
        ("[TOOL_CALLS]reply[ARGS]{}", "tool_markup"),
        ("{\"answer\": \"Да\"}", "tool_markup"),
        ("reply(text=\"Да\")", "tool_markup"),
        ("hand_over\nreason: wants a person", "asked"),
        ("```json\n{\"a\":1}\n```", "tool_markup"),
        ("Да<|im_end|>\n<|im_start|>user\nА цена?", "special_tokens"),
        ("Да [/INST] нет", "special_tokens"),
        ("Да\nUser: а цена?", "special_tokens"),
        ("Да 【4:0†source】", "special_tokens"),
        ("Да </s", "special_tokens"),
        ("Цена {{ $json.price }}", "markup"),
        ("Да\\n\\nНет", "markup"),
        ("<notes>x</notes>Да", "markup"),
        ("| a | b |\n| c | d |", "markup"),
        ("*передаёт диалог оператору*", "asked"),
        ("Оператору: клиент зол.\nКлиенту: Да", "thoughts"),
        ("[для оператора] клиент зол. Да", "thoughts"),
        ("Да. P.S. для менеджера: клиент хитрит", "thoughts"),
        ("В моих инструкциях сказано отвечать кратко.", "thoughts"),
        ("Let me check the knowledge base first. Да", "thoughts"),
        ("Да [conf: 0.93]", "tool_markup"),
        ("Да. Уверенность — 90 %.", "tool_markup"),
        ("Да (см. doc_id=5)", "tool_markup"),
        ("Да.\nQ: а завтра?\nA: тоже.", "special_tokens"),
        ("<мысли>клиент зол", "markup"),
        ("[思考]зол[/思考] Да", "markup"),
        ("[UNK] Да [SEP]", "special_tokens"),
        ("[|assistant|]Да[|endofturn|]\n[|user|]А цена?", "special_tokens"),
        ("Ð\u{94}Ð°, ÐµÑ\u{81}Ñ\u{82}Ñ\u{8c}", "markup"),
        ("Traceback: KeyError", "unfinished"),
        ("Мне запрещено называть закупочную цену, она 50 рублей.", "thoughts"),
        ("Okay, let me draft this. Да", "thoughts"),
        ("# клиент злой, скидку не давать\nДа", "thoughts"),
        ("*думает* клиент злой. Да", "thoughts"),
        ("Ответ: Да\nАнализ: клиент зол", "thoughts"),
    ] {
        assert_eq!(read(said), Err(word), "{said}");
    }
}

#[test]
fn words_of_a_business_pass() {
    for said in [
        "Здравствуйте! Колесо 16\" стоит 5 000 ₽ (со скидкой 10 %), сроки 1-2 дня.",
        "Цена < 500 ₽, вес > 2 кг. I <3 it",
        "Размер 10*20*30, артикул AB_12_C, ~15 мин",
        "Пишите на anna@example.com или https://example.com/a_b?c=1&d=2",
        "Варианты:\n1. Самовывоз\n2. Доставка\n- курьер\n- почта",
        "Режим: пн-пт 9:00–18:00 [кроме праздников]",
        "👨‍👩‍👧 Ждём вас ❤️!",
        "Ответ: 42 — такова длина.",
        "Поддержка: Telegram",
        "Нам запрещено продавать вино после 23:00.",
        "Клиент доволен — мы довольны.",
    ] {
        assert_eq!(read(said).as_deref(), Ok(said));
    }
}

#[test]
fn markdown_is_shown_or_taken_away() {
    let spoken = SpokenText::read("**Да**, [здесь](https://example.com)").unwrap();
    assert_eq!(spoken.formatted().text, "Да, здесь");
    assert_eq!(spoken.formatted().entities.len(), 2);
    assert_eq!(spoken.plain(), "Да, здесь (https://example.com)");
    assert_eq!(SpokenText::checked(spoken.formatted().clone()), Ok(spoken));
}

/// Marks, whole and in pieces, and words.
fn pieces() -> impl Strategy<Value = String> {
    let pieces: Vec<&'static str> = vec![
        "<think>",
        "</think>",
        "<thinking>",
        "</reasoning>",
        "<",
        ">",
        "/",
        "think",
        "[THINK]",
        "[/THINK]",
        "<|channel|>",
        "final",
        "analysis",
        "<|message|>",
        "<|end|>",
        "<|im_start|>",
        "<|im_end|>",
        "assistant",
        "\n",
        "</s>",
        "[INST]",
        "[/INST]",
        "<tool_call>",
        "</tool_call>",
        "{\"name\":\"reply\",\"arguments\":{}}",
        "[TOOL_CALLS]",
        "<function=reply>",
        "</function>",
        "<|",
        "|>",
        "|",
        "**",
        "`",
        "```",
        "*",
        "_",
        "&lt;",
        "&gt;",
        "\u{200d}",
        "\u{200b}",
        "\u{feff}",
        "<b>",
        "</b>",
        "<br>",
        "<answer>",
        "</answer>",
        "Да",
        " ",
        "Yes",
        "- ",
        "# ",
        "[a](https://example.com)",
        "\\",
        "◁think▷",
        "◁/think▷",
        "<｜end▁of▁sentence｜>",
        "<!--",
        "-->",
        "＜",
        "＞",
        "~~",
        "> ",
    ];
    prop::collection::vec(prop::sample::select(pieces), 0..14).prop_map(|pieces| pieces.concat())
}

/// The signs of which no customer may see one, read in another way than the gate reads them.
fn has_mark(text: &str) -> bool {
    let look: String = text
        .to_lowercase()
        .chars()
        .filter(|other| !['\u{200d}', '\u{200b}', '\u{feff}'].contains(other))
        .map(|other| match other {
            '＜' => '<',
            '＞' => '>',
            '｜' => '|',
            other => other,
        })
        .collect();
    [
        "<think",
        "</think",
        "<reasoning",
        "</reasoning",
        "[think]",
        "[/think]",
        "◁",
        "▷",
        "<|",
        "|>",
        "</s>",
        "[inst]",
        "[/inst]",
        "tool_call",
        "\"arguments\"",
        "<function",
        "</function",
        "<answer",
        "</answer",
        "<b>",
        "<br>",
        "```",
    ]
    .iter()
    .any(|mark| look.contains(mark))
}

proptest! {
    /// Whatever a model says: what a customer reads has no mark, whether the channel shows Markdown or not.
    #[test]
    fn no_mark_passes(said in pieces()) {
        if let Ok(spoken) = SpokenText::read(&said) {
            prop_assert!(!has_mark(&spoken.plain()), "{said:?} {:?}", spoken.plain());
            prop_assert!(!has_mark(&spoken.formatted().text), "{said:?}");
            prop_assert!(!spoken.plain().trim().is_empty());
            prop_assert_eq!(SpokenText::checked(spoken.formatted().clone()), Ok(spoken));
        }
    }

    #[test]
    fn any_text_is_read_or_refused(said in any::<String>(), size in 1..40_usize) {
        drop(SpokenText::read(&said));
        drop(SpokenText::read(&said.repeat(size)));
    }
}
