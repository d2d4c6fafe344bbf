//! The script of `switchboard completions`, in a real shell.

use std::process::Command;

use crate::binary;

#[test]
fn bash_completes_commands_and_options() {
    let typed = |words: &str, at: usize| {
        let script = format!(
            "source <('{binary}' completions bash); COMP_WORDS=({words}); COMP_CWORD={at}; \
             _switchboard switchboard \"${{COMP_WORDS[{at}]}}\" \"${{COMP_WORDS[{at}-1]}}\"; echo \"${{COMPREPLY[@]}}\"",
            binary = binary().display(),
        );
        let output = Command::new("bash").args(["-c", &script]).output().expect("bash runs");
        assert!(output.stderr.is_empty(), "{}", String::from_utf8_lossy(&output.stderr));
        String::from_utf8(output.stdout).expect("UTF-8").trim().to_owned()
    };
    assert_eq!(typed("switchboard acc", 1), "account");
    assert_eq!(typed("switchboard completions f", 2), "fish");
    assert_eq!(typed("switchboard send --idem", 2), "--idempotency-key");
}
