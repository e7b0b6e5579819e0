//! A browser without JavaScript, on top of the whole router: it keeps cookies, fills forms, presses buttons and
//! follows redirects.
//!
//! What a browser would not do (a foreign origin, another accept header) is asked with [`Browser::send`].

use crate::html::{Element, parse};
use axum::{
    Router,
    body::Body,
    extract::ConnectInfo,
    http::{HeaderMap, Method, Request, StatusCode, request::Builder},
};
use http_body_util::BodyExt;
use ipack_domain::ids::segment;
use std::{
    collections::BTreeMap,
    net::{IpAddr, SocketAddr},
};
use tower::ServiceExt;

pub const HOST: &str = "127.0.0.1:3000";
const HTML: &str = "text/html,application/xhtml+xml,*/*;q=0.8";

#[derive(Clone)]
pub struct Browser {
    router: Router,
    pub cookies: BTreeMap<String, String>,
    pub address: IpAddr,
    /// The address of the page shown, as the next post's referrer.
    here: String,
}

#[derive(Debug, Clone)]
pub struct Page {
    /// Where redirects led to.
    pub path: String,
    pub status: StatusCode,
    pub headers: HeaderMap,
    pub bytes: Vec<u8>,
}

/// A form as it would be sent: what is filled in, without any button.
#[derive(Debug, Clone)]
pub struct Form {
    pub action: String,
    pub fields: Vec<(String, String)>,
}

impl Browser {
    pub fn new(router: Router) -> Self {
        Self { router, cookies: BTreeMap::new(), address: [192, 0, 2, 7].into(), here: "/".into() }
    }

    /// One request, as it is, with the cookies; no redirect is followed.
    pub async fn send(&mut self, mut request: Request<Body>) -> Page {
        let path = request.uri().to_string();
        let cookies: Vec<String> =
            self.cookies.iter().map(|(name, value)| format!("{name}={value}")).collect();
        if !cookies.is_empty() {
            request.headers_mut().insert("cookie", cookies.join("; ").parse().expect("cookies are ASCII"));
        }
        request.headers_mut().entry("host").or_insert(HOST.parse().expect("a host"));
        request.extensions_mut().insert(ConnectInfo(SocketAddr::new(self.address, 50_000)));
        let response = self.router.clone().oneshot(request).await.expect("a router does not fail");
        let (parts, body) = response.into_parts();
        let bytes = body.collect().await.expect("the body is whole").to_bytes().to_vec();
        for cookie in parts.headers.get_all("set-cookie") {
            let cookie = cookie.to_str().expect("a cookie is ASCII");
            let (pair, rest) = cookie.split_once(';').unwrap_or((cookie, ""));
            let (name, value) = pair.split_once('=').expect("a cookie has a value");
            if rest.contains("Max-Age=0") {
                self.cookies.remove(name);
            } else {
                self.cookies.insert(name.into(), value.into());
            }
        }
        Page { path, status: parts.status, headers: parts.headers, bytes }
    }

    /// Opens an address and follows redirects.
    pub async fn get(&mut self, path: &str) -> Page {
        let request =
            get(path).header("sec-fetch-site", "same-origin").body(Body::empty()).expect("a request");
        let page = self.send(request).await;
        Box::pin(self.follow(page)).await
    }

    /// Sends a form by the button with this intent (or, with an empty one, by one without a name).
    pub async fn press(&mut self, form: &Form, intent: &str) -> Page {
        let page = self.press_only(form, intent).await;
        self.follow(page).await
    }

    /// As [`Browser::press`], without following the redirect.
    pub async fn press_only(&mut self, form: &Form, intent: &str) -> Page {
        let mut fields = form.fields.clone();
        if !intent.is_empty() {
            fields.push(("intent".into(), intent.into()));
        }
        let request = post(&form.action)
            .header("referer", format!("http://{HOST}{}", self.here))
            .body(Body::from(encode(&fields)));
        self.send(request.expect("a request")).await
    }

    async fn follow(&mut self, page: Page) -> Page {
        let mut page = page;
        for _ in 0..5 {
            let Some(location) = page.header("location").filter(|_| page.status.is_redirection()) else {
                self.here = page.path.split('#').next().unwrap_or_default().to_owned();
                return page;
            };
            let location = location.strip_prefix(&format!("http://{HOST}")).unwrap_or(location).to_owned();
            assert!(location.starts_with('/'), "a redirect stays on the site: {location}");
            let address = location.split('#').next().unwrap_or_default();
            let request = get(address).header("sec-fetch-site", "same-origin").body(Body::empty());
            page = self.send(request.expect("a request")).await;
            page.path = location;
        }
        panic!("redirects do not end: {}", page.path);
    }

    pub async fn sign_in(&mut self, email: &str, password: &str) -> Page {
        let form = self.get("/login").await.form("/login").with("email", email).with("password", password);
        self.press(&form, "").await
    }
}

/// A page asked for by a person.
pub fn get(path: &str) -> Builder {
    Request::builder().method(Method::GET).uri(path).header("accept", HTML)
}

/// A form posted by a person on this site.
pub fn post(path: &str) -> Builder {
    Request::builder()
        .method(Method::POST)
        .uri(path)
        .header("accept", HTML)
        .header("content-type", "application/x-www-form-urlencoded")
        .header("origin", format!("http://{HOST}"))
        .header("sec-fetch-site", "same-origin")
}

/// As the browser's half asks: JSON wanted.
pub fn call(method: Method, path: &str) -> Builder {
    Request::builder()
        .method(method)
        .uri(path)
        .header("accept", "application/json")
        .header("content-type", "application/x-www-form-urlencoded")
        .header("sec-fetch-site", "same-origin")
}

/// `application/x-www-form-urlencoded`, line breaks as browsers send them.
pub fn encode(fields: &[(String, String)]) -> String {
    let one = |text: &str| segment(&text.replace('\r', "").replace('\n', "\r\n")).replace("%20", "+");
    fields.iter().map(|(name, value)| format!("{}={}", one(name), one(value))).collect::<Vec<_>>().join("&")
}

impl Page {
    pub fn text(&self) -> &str {
        std::str::from_utf8(&self.bytes).expect("text")
    }

    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.get(name).map(|value| value.to_str().expect("a readable header"))
    }

    pub fn elements(&self) -> Vec<Element> {
        parse(self.text())
    }

    pub fn shows(&self, text: &str) -> bool {
        self.elements().iter().any(|element| element.name != "script" && element.text.contains(text))
    }

    #[track_caller]
    pub fn assert_shows(&self, text: &str) {
        assert!(self.shows(text), "not on {} ({}): {text}\n{}", self.path, self.status, self.text());
    }

    /// What is told beside the inputs whose names begin and end so, one after the other.
    pub fn beside(&self, begin: &str, end: &str) -> Vec<String> {
        let elements = self.elements();
        let is_meant = |name: &str| name.starts_with(begin) && name.ends_with(end);
        let inputs = elements.iter().filter(|one| one.attribute("name").is_some_and(is_meant));
        let told = |input: &Element| {
            let ids = input.attribute("aria-describedby").unwrap_or_default();
            let describes = |one: &&Element| {
                one.attribute("id").is_some_and(|id| ids.split(' ').any(|other| other == id))
            };
            elements.iter().filter(describes).map(|one| one.text.as_str()).collect()
        };
        inputs.map(told).collect()
    }

    pub fn heading(&self) -> String {
        self.elements().into_iter().find(|one| one.name == "h1").map(|one| one.text).unwrap_or_default()
    }

    pub fn links(&self) -> Vec<String> {
        let links = self.elements().into_iter().filter(|one| one.name == "a");
        links.filter_map(|link| link.attribute("href").map(str::to_owned)).collect()
    }

    pub fn has_button(&self, intent: &str) -> bool {
        self.elements().iter().any(|one| one.is("button", "value", intent))
    }

    /// The form with this action.
    #[track_caller]
    pub fn form(&self, action: &str) -> Form {
        let elements = self.elements();
        let form = elements.iter().find(|one| one.is("form", "action", action));
        let number = form.unwrap_or_else(|| panic!("no form {action}: {} {}", self.status, self.text())).form;
        let mut fields = Vec::new();
        let mut select: Option<String> = None;
        for element in elements.iter().filter(|one| one.form == number) {
            let name = element.attribute("name").map(str::to_owned);
            let value = element.attribute("value").unwrap_or_default().to_owned();
            match (element.name.as_str(), element.attribute("type")) {
                ("input", Some("radio" | "checkbox")) if element.attribute("checked").is_none() => {}
                // An input of one line drops line breaks.
                ("input", Some("hidden" | "radio" | "checkbox")) => {
                    fields.extend(name.map(|name| (name, value)))
                }
                ("input", _) => fields.extend(name.map(|name| (name, value.replace(['\r', '\n'], "")))),
                ("select", _) => select = name,
                ("option", _)
                    if element
                        .path
                        .last()
                        .is_some_and(|parent| parent == "select" || parent == "optgroup") =>
                {
                    let is_selected = element.attribute("selected").is_some();
                    if let Some(name) = &select {
                        match fields.iter_mut().find(|(other, _)| other == name) {
                            Some(field) if is_selected => field.1 = value,
                            Some(_) => {}
                            None => fields.push((name.clone(), value)),
                        }
                    }
                }
                _ => {}
            }
        }
        Form { action: action.into(), fields }
    }

    /// The connector form.
    #[track_caller]
    pub fn connector(&self) -> Form {
        self.form("/api/connector")
    }
}

impl Form {
    #[track_caller]
    pub fn value(&self, name: &str) -> &str {
        let found = self.fields.iter().find(|(other, _)| other == name);
        found.map_or_else(|| panic!("no field {name}: {:?}", self.fields), |(_, value)| value)
    }

    /// Typed over; the field has to be there.
    #[track_caller]
    pub fn with(mut self, name: &str, value: &str) -> Self {
        let Some(field) = self.fields.iter_mut().find(|(other, _)| other == name) else {
            panic!("no field {name}: {:?}", self.fields);
        };
        field.1 = value.to_owned();
        self
    }

    pub fn content(self, part: &str, value: &str) -> Self {
        self.with(&format!("content[{part}]"), value)
    }

    /// A table's row as the page shows it, counted from 0.
    #[track_caller]
    pub fn row(self, table: &str, index: usize, key: &str, value: &str) -> Self {
        let name = |cell: &str| {
            let prefix = format!("content[{table}][");
            let suffix = format!("][{cell}]");
            let is_it = |name: &&str| name.starts_with(&prefix) && name.ends_with(&suffix);
            let names: Vec<&str> = self.fields.iter().map(|(name, _)| name.as_str()).filter(is_it).collect();
            (*names.get(index).unwrap_or_else(|| panic!("no row {index} in {names:?}"))).to_owned()
        };
        let (key_name, value_name) = (name("key"), name("value"));
        self.with(&key_name, key).with(&value_name, value)
    }

    /// A table's rows as `key=value`.
    pub fn rows(&self, table: &str) -> Vec<String> {
        let prefix = format!("content[{table}][");
        let cells: Vec<&str> = self
            .fields
            .iter()
            .filter(|(name, _)| name.starts_with(&prefix))
            .map(|(_, value)| value.as_str())
            .collect();
        cells.chunks(2).map(|row| row.join("=")).collect()
    }
}
