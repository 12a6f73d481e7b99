//! What is taken out, and what stays.

use super::*;

/// What is left of one line.
fn left(line: &str) -> String {
    redacted(line).text.trim_end_matches('\n').to_owned()
}

#[test]
fn a_value_is_taken_out_however_its_name_is_written() {
    for (line, rest) in [
        ("http://host:8888/lab?token=5e1f&x=1 opened", "http://host:8888/lab?token=[redacted]&x=1 opened"),
        ("GET /v1?key=abc HTTP/1.1", "GET /v1?key=[redacted] HTTP/1.1"),
        ("next=%2Flab%3Ftoken%3D5e1f", "next=%2Flab%3Ftoken%3D[redacted]"),
        ("Authorization: Bearer abc def", "Authorization: [redacted]"),
        ("curl -H 'authorization: Basic YTpi' http://host", "curl -H 'authorization: [redacted]' http://host"),
        ("{\"Authorization\": \"Bearer x\", \"n\": 1}", "{\"Authorization\": \"[redacted]\", \"n\": 1}"),
        ("sent Bearer a1b2", "sent Bearer [redacted]"),
        ("set-cookie: sid=1; Path=/", "set-cookie: [redacted]"),
        ("password=hunter2, user=me", "password=[redacted], user=me"),
        ("DB_PASSWORD = \"hun\\\"ter2\" # x", "DB_PASSWORD = \"[redacted]\" # x"),
        ("{\\\"api_key\\\": \\\"hunter2\\\", \\\"a\\\": 1}", "{\\\"api_key\\\": \\\"[redacted]\\\", \\\"a\\\": 1}"),
        ("accessToken: hunter2", "accessToken: [redacted]"),
        ("vllm serve --api-key hunter2 --port 80", "vllm serve --api-key [redacted] --port 80"),
        ("--token=hunter2", "--token=[redacted]"),
        ("Namespace(api_key=['hun', 'ter2'], port=1)", "Namespace(api_key=[redacted], port=1)"),
        ("secret=SecretStr('hunter2') end", "secret=[redacted] end"),
        ("password=b'hunter2' end", "password=b'[redacted]' end"),
        ("token: Bearer hunter2", "token: [redacted]"),
        ("MYSQL_PWD=hunter2", "MYSQL_PWD=[redacted]"),
        ("args: ['serve', '--api-key', 'hunter2']", "args: ['serve', '--api-key', '[redacted]']"),
        ("{\"cmd\":[\"vllm\",\"--api-key\",\"hunter2\"]}", "{\"cmd\":[\"vllm\",\"--api-key\",\"[redacted]\"]}"),
        ("[('x-api-key', 'hunter2')]", "[('x-api-key', '[redacted]')]"),
        ("[(b'x-api-key', b'hunter2'), (b'a', b'b')]", "[(b'x-api-key', b'[redacted]'), (b'a', b'b')]"),
        ("PGPASSWORD=hunter2", "PGPASSWORD=[redacted]"),
        ("run userpassword: hunter2", "run userpassword: [redacted]"),
        ("SMTPPASS=hunter2", "SMTPPASS=[redacted]"),
        ("API_KEY_1=hunter2", "API_KEY_1=[redacted]"),
        ("password1=hunter2", "password1=[redacted]"),
        ("<user>a</user><password>hunter2</password>", "<user>a</user><password>[redacted]</password>"),
        ("curl -u me:hunter2 https://x", "curl -u me:[redacted] https://x"),
        ("['curl', '--user', 'me:hun ter2']", "['curl', '--user', 'me:[redacted]']"),
        ("/usr/bin/mysqldump -u root -phunter2 db", "/usr/bin/mysqldump -u root -p[redacted] db"),
        ("sshpass -p hunter2 ssh -p 22 x", "sshpass -p [redacted] ssh -p 22 x"),
        ("password = hun ter2==", "password = [redacted]"),
        ("  password: hun ter2", "  password: [redacted]"),
        ("password = hunter2 user = me", "password = [redacted] user = me"),
        ("password = \"\"\"hunter2\"\"\" # x", "password = \"\"\"[redacted]\"\"\" # x"),
        ("{\"name\":\"DB_PASSWORD\",\"value\":\"hunter2\"}", "{\"name\":\"DB_PASSWORD\",\"value\":\"[redacted]\"}"),
        ("at \u{1b}[36mtoken\u{1b}[0m=\u{1b}[35mhunter2\u{1b}[0m done", "at token=[redacted] done"),
    ] {
        assert_eq!(left(line), rest);
        assert_eq!(redacted(line).count, 1, "{line}");
    }
}

#[test]
fn a_secret_is_known_by_its_shape_and_by_its_place_in_an_address() {
    let long = "a1b2c3d4e5f6g7h8i9j0k1l2m3n4o5p6q7r8";
    for key in ["hf_", "ghp_", "sk-", "nvapi-", "AIza", "npm_"] {
        assert_eq!(left(&format!("with '{key}{long}'.")), "with '[redacted]'.", "{key}");
        assert_eq!(left(&format!("x-{key}{long} y")), "x-[redacted] y", "{key}");
    }
    assert_eq!(left("id AKIAIOSFODNN7EXAMPLE, ok"), "id [redacted], ok");
    let signed = "eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxMjM0NSJ9.c2lnbmF0dXJl";
    assert_eq!(left(&format!("jwt {signed}")), "jwt [redacted]");
    for (line, rest) in [
        ("postgres://app:hunter2@db:5432/x", "postgres://[redacted]@db:5432/x"),
        ("clone https://abcdefghijklmnop@host/x", "clone https://[redacted]@host/x"),
        ("DB=redis://u:p/w@host", "DB=redis://[redacted]@host"),
        ("to http://proxy:3128/@me and ssh://git@host", "to http://proxy:3128/@me and ssh://git@host"),
    ] {
        assert_eq!(left(line), rest);
    }
}

#[test]
fn a_private_key_is_taken_out_whole_be_it_cut_at_either_end() {
    let body = "MIIEpAIBAAKCAQEA7v\n9w8x7y==\n";
    let (begin, end) = ("-----BEGIN RSA PRIVATE KEY-----", "-----END RSA PRIVATE KEY-----");
    let whole = redacted(&format!("before\n{begin}\n{body}{end}\nafter\n"));
    assert_eq!((whole.text.as_str(), whole.count), ("before\n[redacted]\nafter\n", 1));
    assert_eq!(redacted(&format!("{begin}\n{body}")).text, "[redacted]\n");
    assert_eq!(redacted(&format!("{body}{end}\nafter")).text, "[redacted]\nafter\n");
    let line = format!("key \"{begin}\\nMIIE\\n{end}\\n\" read");
    assert_eq!(left(&line), "key \"[redacted]\\n\" read");
    let public = "-----BEGIN CERTIFICATE-----\nMIIE\n-----END CERTIFICATE-----\n";
    assert_eq!(redacted(public).text, public);
    let lost = format!("{begin}\n{}the log goes on\n", "AAAA\n".repeat(256));
    assert!(redacted(&lost).text.ends_with("the log goes on\n"), "a key that never ends ends");
}

#[test]
fn a_value_on_the_lines_after_its_name_is_taken_out() {
    for (text, rest) in [
        ("secret_key: |\n  hun\n\n   ter2\nport: 1\n", "secret_key: |\n  [redacted]\n\nport: 1\n"),
        ("password: >-\n  hunter2\n", "password: >-\n  [redacted]\n"),
        (
            "- password: !!str |2+ # x\n    hunter2\n  user: me\n",
            "- password: !!str |2+ # x\n    [redacted]\n  user: me\n",
        ),
        ("\"api_key\": [\n  \"hunter2\"\n],\n", "\"api_key\": [\n  [redacted]\n],\n"),
        ("token = \"\"\"hun\nter2\"\"\" # x\nport = 1\n", "token = \"\"\"[redacted]\n\"\"\" # x\nport = 1\n"),
        ("- name: DB_PASSWORD\n  value: hunter2\n", "- name: DB_PASSWORD\n  value: [redacted]\n"),
        ("\"name\": \"API_KEY\",\n\"value\": \"hunter2\"\n", "\"name\": \"API_KEY\",\n\"value\": \"[redacted]\"\n"),
    ] {
        let left = redacted(text);
        assert_eq!((left.text.as_str(), left.count), (rest, 1));
        assert_eq!(redacted(rest), Redacted { text: rest.to_owned(), count: 0 }, "what was redacted stays");
    }
    for text in [
        "- name: PORT\n  value: 8000\n",
        "- name: DB_PASSWORD\n  valueFrom: x\n- name: PORT\n  value: 8000\n",
        "note: |\n  text\nsecret:\n  secretName: x\n",
    ] {
        assert_eq!(redacted(text), Redacted { text: text.to_owned(), count: 0 });
    }
    let lost = format!("token = '''hunter2\n{}the log goes on\n", "AAAA\n".repeat(256));
    assert!(redacted(&lost).text.ends_with("the log goes on\n"), "a text that never ends ends");
}

#[test]
fn what_is_no_secret_stays() {
    for line in [
        "bypass=on compass: north first_path: 1 NOPASSWD: ALL",
        "['--enable-token', '--port', '80'] needs ('token', 'user', 'port')",
        "usage: --port <token> <password> <x>, <password></password>",
        "curl -u $USER:$PASS http://x; mysql -p db -P 3306 | sort -phunter2; docker run -u 1:1",
        "password: none of these",
        "",
        "2026-11-27 10:00:00,123 INFO started pid=17 port=8000",
        "max_tokens=4096 prompt_tokens: 523, pad_token: <pad>",
        "{\"level\": \"info\", \"token_count\": 3, \"tokenizer\": \"x\"}",
        "PWD=/work HF_TOKEN_PATH=/x",
        "password=${DB_PASSWORD} token: null api_key=None secret=*****",
        "Bearer authentication is on; tokens are kept",
        "http://host:8888/tree?page=2#top",
        "key: value, KEY=x",
        "loading torch-2.7.0+cu126 from site-packages/nvidia",
        "日本 ✓ token",
    ] {
        assert_eq!(redacted(line).count, 0, "{line}: {}", left(line));
        assert_eq!(left(line), line);
    }
}

#[test]
fn what_was_redacted_stays_as_it_is_and_hostile_text_ends() {
    let text = "password=hunter2 postgres://a:b@c ?token=x\n\"secret\": \"y\"\nAuthorization: z\n";
    let once = redacted(text);
    assert_eq!(once.count, 5);
    assert_eq!(redacted(&once.text), Redacted { count: 0, ..once });
    for piece in [
        "token=[redacted]",
        "token=${",
        "token=|",
        "token='''",
        "<token>",
        "('token', '",
        "'--token','",
        "name:token,",
        "cookie: none ",
        "curl -u '",
        "token=",
        "://",
        "sk-",
        "password=\"\\",
        "a_",
        "-----BEGIN PRIVATE KEY",
        "token=[(\u{1b}[",
        "é%3F",
    ] {
        let text = piece.repeat((128 << 10) / piece.len());
        assert!(redacted(&text).text.lines().count() <= 1, "{piece}");
    }
}
