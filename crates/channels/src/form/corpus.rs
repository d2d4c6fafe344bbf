//! Posts as builders of sites and their plugins make them, with made-up values: each is read with its contacts, its name and its words.

use domain::{InboundMessage, Timestamp};

use super::submission::read;
use crate::provider::HookPost;

const FORM: &str = "application/x-www-form-urlencoded";
const JSON: &str = "application/json";

struct Case {
    builder: &'static str,
    kind: &'static str,
    body: &'static [u8],
    phone: Option<&'static str>,
    email: Option<&'static str>,
    name: Option<&'static str>,
    /// What the text has in it, and what it has not.
    says: &'static [&'static str],
    hides: &'static [&'static str],
}

const ANNA: Case = Case {
    builder: "",
    kind: FORM,
    body: b"",
    phone: Some("+70000000001"),
    email: None,
    name: Some("Anna"),
    says: &[],
    hides: &[],
};

const CASES: &[Case] = &[
    Case {
        builder: "Tilda",
        body: b"Name=Anna&Phone=%2B7+%28000%29+000-00-01&Email=anna%40example.org&Textarea=When%3F&Checkbox=yes&tranid=1234%3A5678&\
            formid=form99&COOKIES=TILDAUTM%3Dutm_source%253Dads%3B+_ym_uid%3D1&utm_source=ads&utm_campaign=c1",
        email: Some("anna@example.org"),
        says: &["Textarea: When?", "Checkbox: yes"],
        hides: &["TILDAUTM", "form99", "1234"],
        ..ANNA
    },
    Case {
        builder: "Tilda, an order",
        body: b"Name=Anna&Phone=80000000001&payment%5Borderid%5D=77&payment%5Bproducts%5D%5B0%5D%5Bname%5D=Lamp&\
            payment%5Bproducts%5D%5B0%5D%5Bprice%5D=100&payment%5Bamount%5D=100&tranid=1%3A2&formid=form1",
        says: &["Lamp", "amount: 100", "orderid: 77"],
        ..ANNA
    },
    Case {
        builder: "Tilda, an order as JSON",
        kind: JSON,
        body: br#"{"Name":"Anna","Phone":"+7 000 000-00-01","payment":{"orderid":"77","products":[{"name":"Lamp","quantity":2}],"amount":"100"},"tranid":"1:2"}"#,
        says: &["Lamp", "amount: 100"],
        ..ANNA
    },
    Case {
        builder: "a basket before the name",
        kind: JSON,
        body: br#"{"cart":{"items":[{"name":"Lamp"}],"name":"Basket"},"contact":{"name":"Anna","phone":"80000000001"}}"#,
        says: &["name: Lamp", "name: Basket"],
        ..ANNA
    },
    Case {
        builder: "Marquiz",
        kind: JSON,
        body: r#"{"answers":[{"q":"Какой диван?","a":"Угловой","t":"answers"},{"q":"Цвет?","a":["Синий","Серый"],"t":"answers"}],
            "contacts":{"name":"Anna","email":"anna@example.org","phone":"8 (000) 000-00-01","text":"После шести"},
            "quiz":{"id":"5d0","name":"Диваны"},"extra":{"utm":{"source":"ads","name":"c1"},"href":"https://example.com/?a=1",
            "cookies":{"_ga":"GA1.2"},"referrer":"https://example.com/"},"created":"2026-11-30T10:00:00.000Z"}"#
            .as_bytes(),
        email: Some("anna@example.org"),
        says: &["Какой диван?: Угловой", "Цвет?: Синий, Серый", "После шести"],
        hides: &["GA1.2", "href", "Диваны"],
        ..ANNA
    },
    Case {
        builder: "Elementor, advanced data",
        body: b"form%5Bid%5D=3f2a&form%5Bname%5D=New+Form&fields%5Bname%5D%5Bid%5D=name&fields%5Bname%5D%5Btype%5D=text&\
            fields%5Bname%5D%5Btitle%5D=Name&fields%5Bname%5D%5Bvalue%5D=Anna&fields%5Bname%5D%5Braw_value%5D=Anna&fields%5Bname%5D%5Brequired%5D=0&\
            fields%5Bfield_eae3750%5D%5Bid%5D=field_eae3750&fields%5Bfield_eae3750%5D%5Btype%5D=tel&fields%5Bfield_eae3750%5D%5Btitle%5D=&\
            fields%5Bfield_eae3750%5D%5Bvalue%5D=%2B70000000001&fields%5Bfield_eae3750%5D%5Braw_value%5D=%2B70000000001&\
            fields%5Bmessage%5D%5Bid%5D=message&fields%5Bmessage%5D%5Btype%5D=textarea&fields%5Bmessage%5D%5Btitle%5D=Message&\
            fields%5Bmessage%5D%5Bvalue%5D=When%3F&meta%5Bdate%5D%5Btitle%5D=Date&meta%5Bdate%5D%5Bvalue%5D=30.11.2026&\
            meta%5Bremote_ip%5D%5Btitle%5D=Remote+IP&meta%5Bremote_ip%5D%5Bvalue%5D=192.0.2.1",
        says: &["When?"],
        hides: &["192.0.2.1", "3f2a", "New Form", "30.11.2026"],
        ..ANNA
    },
    Case {
        builder: "Elementor, as it is",
        body: b"Name=Anna&Email=anna%40example.org&Message=When%3F&Date=30.11.2026&Page+URL=https%3A%2F%2Fexample.com&User+Agent=Mozilla&\
            Remote+IP=192.0.2.1&form_id=3f2a&form_name=New+Form",
        phone: None,
        email: Some("anna@example.org"),
        says: &["When?"],
        hides: &["192.0.2.1", "Mozilla", "example.com"],
        ..ANNA
    },
    Case {
        builder: "fields with names of the page's own",
        body: "fields[name][name]=Имя&fields[name][value]=Anna&fields[phone][name]=Номер+телефона&fields[phone][required]=true&\
            fields[phone][value]=8+000+000+00+01&fields[wish][name]=Пожелания&fields[wish][value]=Тише"
            .as_bytes(),
        says: &["Пожелания: Тише"],
        hides: &["true"],
        ..ANNA
    },
    Case {
        builder: "Contact Form 7",
        kind: "multipart/form-data; boundary=----WebKitFormBoundary7",
        body: b"------WebKitFormBoundary7\r\nContent-Disposition: form-data; name=\"_wpcf7\"\r\n\r\n516\r\n\
            ------WebKitFormBoundary7\r\nContent-Disposition: form-data; name=\"_wpcf7_unit_tag\"\r\n\r\nwpcf7-f516-p517-o1\r\n\
            ------WebKitFormBoundary7\r\nContent-Disposition: form-data; name=\"your-name\"\r\n\r\nAnna\r\n\
            ------WebKitFormBoundary7\r\nContent-Disposition: form-data; name=\"your-tel\"\r\n\r\n+7 000 000-00-01\r\n\
            ------WebKitFormBoundary7\r\nContent-Disposition: form-data; name=\"your-email\"\r\n\r\nAnna@Example.org\r\n\
            ------WebKitFormBoundary7\r\nContent-Disposition: form-data; name=\"menu-1[]\"\r\n\r\nA\r\n\
            ------WebKitFormBoundary7\r\nContent-Disposition: form-data; name=\"menu-1[]\"\r\n\r\nB\r\n\
            ------WebKitFormBoundary7\r\nContent-Disposition: form-data; name=\"your-message\"\r\n\r\nWhen?\r\n\
            ------WebKitFormBoundary7\r\nContent-Disposition: form-data; name=\"cv\"; filename=\"cv.pdf\"\r\nContent-Type: application/pdf\r\n\r\n%PDF\r\n\
            ------WebKitFormBoundary7--\r\n",
        email: Some("anna@example.org"),
        says: &["When?", "menu-1: A, B", "cv: cv.pdf"],
        hides: &["516", "wpcf7", "%PDF"],
        ..ANNA
    },
    Case {
        builder: "Contact Form 7, a plugin for webhooks",
        kind: JSON,
        body: br#"{"your-name":"Anna","your-subject":"Price","your-tel":"+70000000001","your-message":"When?","checkbox":["A","B"],"_wpcf7":"5"}"#,
        says: &["When?", "checkbox: A, B", "your-subject: Price"],
        ..ANNA
    },
    Case {
        builder: "Flexbe",
        body: "data[id]=12&data[client][name]=Anna&data[client][phone]=%2B7+000+000-00-01&data[client][email]=&data[form_name]=Заявка&\
            data[form_data][fld_1][type]=name&data[form_data][fld_1][name]=Имя&data[form_data][fld_1][value]=Anna&\
            data[form_data][fld_2][type]=phone&data[form_data][fld_2][name]=Телефон&data[form_data][fld_2][value]=%2B7+000+000-00-01&\
            data[form_data][fld_3][type]=text&data[form_data][fld_3][name]=Город&data[form_data][fld_3][value]=Псков&\
            data[utm][utm_source]=ads&data[page][url]=https://example.com/"
            .as_bytes(),
        says: &["Город: Псков"],
        hides: &["Имя", "Телефон", "example.com", "Заявка"],
        ..ANNA
    },
    Case {
        builder: "Flexbe, as a text of JSON",
        body: "event=lead&data=%7B%22client%22%3A%7B%22name%22%3A%22Anna%22%2C%22phone%22%3A%2280000000001%22%7D%2C%22form_data%22%3A%7B%22fld_3%22%3A%7B%22type%22%3A%22text%22%2C%22name%22%3A%22City%22%2C%22value%22%3A%22Pskov%22%7D%7D%7D"
            .as_bytes(),
        says: &["City: Pskov"],
        ..ANNA
    },
    Case {
        builder: "jQuery, a list of names and values",
        kind: JSON,
        body: br#"[{"name":"name","value":"Anna"},{"name":"phone","value":"80000000001"},{"name":"size","value":"M"},{"name":"size","value":"L"}]"#,
        says: &["size: M", "size: L"],
        ..ANNA
    },
    Case {
        builder: "WPForms and Gravity Forms by webhook",
        kind: JSON,
        body: br#"{"form_id":7,"form_title":"Contact","fields":{"1":{"label":"Your name","value":"Anna"},"2":{"label":"Phone","value":"+70000000001"},"3":{"label":"Budget","value":100}}}"#,
        says: &["Budget: 100"],
        ..ANNA
    },
    Case {
        builder: "a form with two parts of a name and Russian names",
        body: "Имя=Anna&Телефон=80000000001&E-mail=anna@example.org&Сообщение=Когда?&Размер=M&Размер=L&Размер=".as_bytes(),
        email: Some("anna@example.org"),
        says: &["Когда?", "Размер: M, L"],
        ..ANNA
    },
    Case {
        builder: "windows-1251 without a label",
        body: b"name=Anna&phone=80000000001&comment=%CF%F0%E8%E2%E5%F2",
        says: &["Привет"],
        ..ANNA
    },
    Case {
        builder: "windows-1251 by its label",
        kind: "application/x-www-form-urlencoded; charset=cp-1251",
        body: b"name=Anna&phone=80000000001&comment=\xCF\xF0\xE8\xE2\xE5\xF2",
        says: &["Привет"],
        ..ANNA
    },
    Case {
        builder: "KOI8-R by the page's own field",
        body: b"_charset_=koi8-r&name=Anna&phone=80000000001&comment=%F0%D2%C9%D7%C5%D4",
        says: &["Привет"],
        ..ANNA
    },
    Case {
        builder: "JSON with a BOM",
        kind: "text/plain",
        body: b"\xEF\xBB\xBF{\"name\":\"Anna\",\"tel\":\"80000000001\"}",
        ..ANNA
    },
    Case {
        builder: "a number with an extension, and another",
        body: "name=Anna&phone=8+(000)+000-00-01+доб.+12&phone2=80000000002".as_bytes(),
        says: &["phone: 8 (000) 000-00-01 доб. 12", "phone2: 80000000002"],
        ..ANNA
    },
    Case {
        builder: "a number that no one can read beside an address",
        body: b"name=Anna&phone=ask+me&email=anna%40example.org",
        phone: None,
        email: Some("anna@example.org"),
        says: &["phone: ask me"],
        ..ANNA
    },
    Case {
        builder: "an id of WhatsApp in place of an address",
        body: b"name=Anna&email=79000000001%3A12%40s.whatsapp.net",
        phone: Some("+79000000001"),
        ..ANNA
    },
    Case {
        builder: "amoCRM, fields with several values",
        kind: JSON,
        body: r#"{"custom_fields":[{"id":1,"name":"Телефон","code":"PHONE","values":[{"value":"+7 000 000-00-01","enum":"WORK"}]},
            {"id":2,"name":"Email","code":"EMAIL","values":[{"value":"anna@example.org"}]},{"id":3,"name":"Город","values":[{"value":"Псков"}]}],
            "contact":{"name":"Anna"}}"#
            .as_bytes(),
        email: Some("anna@example.org"),
        says: &["Город: Псков"],
        ..ANNA
    },
    Case {
        builder: "Typeform",
        kind: JSON,
        body: br#"{"event_type":"form_response","form_response":{"answers":[{"type":"phone_number","phone_number":"+70000000001","field":{"id":"a","ref":"r"}},
            {"type":"email","email":"anna@example.org","field":{"id":"b"}},{"type":"text","text":"When?","field":{"id":"c"}}]}}"#,
        email: Some("anna@example.org"),
        name: None,
        says: &["When?"],
        ..ANNA
    },
    Case {
        builder: "a script of Google Forms",
        kind: JSON,
        body: r#"{"namedValues":{"Имя":["Anna"],"Ваш номер телефона":["8 000 000 00 01"],"Комментарий":["Тише"],"E-mail":[""]}}"#.as_bytes(),
        says: &["Тише"],
        ..ANNA
    },
    Case {
        builder: "parts with line feeds alone and small letters",
        kind: "Multipart/Form-Data; boundary=x",
        body: b"--x\ncontent-disposition: form-data; Name=\"name\"\n\nAnna\n--x\ncontent-disposition: form-data; name=\"phone\"\n\n80000000001\n\
            --x\ncontent-disposition: form-data; name=\"comment\"\n\nTwo\nlines\n--x--\n",
        says: &["Two\nlines"],
        ..ANNA
    },
    Case {
        builder: "windows-1251 in the names too",
        body: b"%C8%EC%FF=Anna&%D2%E5%EB%E5%F4%EE%ED=8+000+000-00-01&%C2%EE%EF%F0%EE%F1=%CA%EE%E3%E4%E0%3F",
        says: &["Когда?"],
        ..ANNA
    },
    Case {
        builder: "empty fields",
        body: b"name=Anna&phone=&email=&tel=80000000001&comment=&size%5B%5D=&utm_source=",
        hides: &["comment", "size"],
        ..ANNA
    },
    Case {
        builder: "a number in an odd field",
        kind: JSON,
        body: r#"{"payload":{"lead":{"Имя клиента":"Anna","contactPhoneNumber":80000000001,"wa":"+7 000 000 00 02"}}}"#.as_bytes(),
        says: &["wa: +7 000 000 00 02"],
        ..ANNA
    },
    Case {
        builder: "fields with names that say nothing",
        body: b"f1=Anna&f2=8+000+000-00-01&f3=anna%40example.org",
        name: None,
        says: &["f1: Anna"],
        ..ANNA
    },
];

fn message(case: &Case) -> InboundMessage {
    let post = HookPost {
        method: "POST".to_owned(),
        url: "https://example.com/forms/site".to_owned(),
        query: String::new(),
        headers: vec![("content-type".to_owned(), case.kind.as_bytes().to_vec())],
        body: case.body.to_vec(),
    };
    let taken = read(&post, Timestamp::from_micros(1_760_000_700_000_000));
    taken.unwrap_or_else(|wrong| panic!("{}: {wrong}", case.builder)).message.expect("a message")
}

#[test]
fn each_builder_is_read() {
    for case in CASES {
        let read = message(case);
        let of =
            |contact: &Option<domain::ProvedContact>| contact.as_ref().map(|contact| contact.value.clone());
        assert_eq!(of(&read.phone).as_deref(), case.phone, "{}: {}", case.builder, &*read.text);
        assert_eq!(of(&read.email).as_deref(), case.email, "{}: {}", case.builder, &*read.text);
        assert_eq!(read.name.as_deref(), case.name, "{}: {}", case.builder, &*read.text);
        for said in case.says {
            assert!(read.text.contains(said), "{}: {said} is not in {}", case.builder, &*read.text);
        }
        for hidden in case.hides {
            assert!(!read.text.contains(hidden), "{}: {hidden} is in {}", case.builder, &*read.text);
        }
    }
}
