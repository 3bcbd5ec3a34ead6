"""A browser small enough to trust: cookies, redirects, forms, no scripts.

It keeps the rules that decide whether a login works in a real one: host-only and __Host- cookies,
SameSite on requests from another site, Secure, a policy's form-action along the whole chain of
redirects.  Names below .localhost are this machine, as browsers have it.
"""
import http.client
import re
import socket
import ssl
import time
from email.utils import parsedate_to_datetime
from html.parser import HTMLParser
from urllib.parse import urlencode, urljoin, urlsplit

MAX_REDIRECTS = 20


class BrowserError(Exception):
    """What a person in front of the browser would have seen go wrong."""


def origin(url):
    u = urlsplit(url)
    return f"{u.scheme}://{u.netloc}"


def site(url):
    """Scheme and registrable domain.  "localhost" counts as a public suffix, as browsers treat
    every name without a listed one, so amt24.localhost is a site of its own."""
    u = urlsplit(url)
    return u.scheme, ".".join(u.hostname.split(".")[-2:])


class Cookie:
    def __init__(self, header, url, now):
        pair, *attributes = header.split(";")
        self.name, _, self.value = (part.strip() for part in pair.partition("="))
        given = {}
        for attribute in attributes:
            key, _, value = attribute.partition("=")
            given[key.strip().lower()] = value.strip()
        host = urlsplit(url).hostname
        self.domain = given.get("domain", "").lstrip(".").lower()
        self.host_only = not self.domain
        self.domain = self.domain or host
        self.path = given.get("path") or "/"
        self.secure, self.http_only = "secure" in given, "httponly" in given
        self.same_site = given.get("samesite", "lax").lower()
        self.ends = None
        if given.get("max-age", "").lstrip("-").isdigit():
            self.ends = now + int(given["max-age"])
        elif "expires" in given:
            self.ends = parsedate_to_datetime(given["expires"]).timestamp()
        self._check(host)

    def _check(self, host):
        if not (host == self.domain or host.endswith("." + self.domain)):
            raise BrowserError(f"{host} sets a cookie for {self.domain}")
        if "." not in self.domain:
            raise BrowserError(f"{host} sets a cookie for the public suffix {self.domain}")
        if self.name.startswith("__Host-") and not (self.secure and self.path == "/" and self.host_only):
            raise BrowserError(f"{self.name} breaks the rules of its prefix")
        if self.same_site == "none" and not self.secure:
            raise BrowserError(f"{self.name}: SameSite=None without Secure")

    @property
    def key(self):
        return self.name, self.domain, self.path

    def goes_to(self, url, method, cross_site, now):
        u = urlsplit(url)
        host, path = u.hostname, u.path or "/"
        fits_host = host == self.domain or (not self.host_only and host.endswith("." + self.domain))
        fits_path = path == self.path or path.startswith(self.path.rstrip("/") + "/")
        if not (fits_host and fits_path) or (self.secure and u.scheme != "https"):
            return False
        if self.ends is not None and self.ends <= now:
            return False
        # Lax: from another site only with a navigation by GET.
        return not cross_site or self.same_site == "none" or \
            (self.same_site == "lax" and method == "GET")


class Form:
    def __init__(self, attributes, page_url):
        # An empty action is the page itself (HTML 4.10.21.3).
        self.action = urljoin(page_url, attributes.get("action") or page_url)
        self.method = (attributes.get("method") or "get").upper()
        self.id = attributes.get("id", "")
        self.fields = []   # (name, value) as they would be sent untouched
        self.boxes = []    # (name, value, checked) of check boxes and radio buttons
        self.buttons = []  # (name, value)

    def add(self, tag, a):
        name, value, kind = a.get("name"), a.get("value"), (a.get("type") or "text").lower()
        if "disabled" in a:
            return
        if tag == "button" or kind in ("submit", "image"):
            if kind not in ("reset", "button") or tag == "input":
                self.buttons.append((name, value or ""))
        elif kind in ("checkbox", "radio"):
            self.boxes.append((name, value if value is not None else "on", "checked" in a))
        elif name:
            self.fields.append((name, value or ""))

    def names(self):
        return {n for n, *_ in [*self.fields, *self.boxes, *self.buttons] if n}


class Page(HTMLParser):
    """A response; `forms`, `links`, `text` and `headings` when it is HTML."""

    def __init__(self, url, status, headers, body):
        super().__init__()
        self.url, self.status, self.headers, self.body = url, status, headers, body
        self.forms, self.links, self.words, self.title, self.lang = [], [], [], "", None
        self._form, self._silent, self._in_title = None, 0, False
        if headers.get_content_type() == "text/html":
            self.feed(body.decode("utf-8", "replace"))

    def handle_starttag(self, tag, attrs):
        a = dict(attrs)
        if tag == "html":
            self.lang = a.get("lang")
        elif tag == "form":
            self._form = Form(a, self.url)
            self.forms.append(self._form)
        elif tag in ("input", "button", "select", "textarea"):
            form = next((f for f in self.forms if f.id and f.id == a.get("form")), self._form)
            if form is not None:
                form.add(tag, a)
        elif tag == "a" and a.get("href"):
            self.links.append(urljoin(self.url, a["href"]))
        elif tag in ("script", "style"):
            self._silent += 1
        self._in_title = tag == "title"

    def handle_endtag(self, tag):
        if tag == "form":
            self._form = None
        elif tag in ("script", "style"):
            self._silent -= 1
        self._in_title = False

    def handle_data(self, data):
        if self._in_title:
            self.title += data
        elif not self._silent and data.strip():
            self.words.append(data.strip())

    @property
    def text(self):
        return re.sub(r"\s+", " ", " ".join(self.words))

    def form_with(self, *names):
        """The form that has fields of all these names, or None."""
        return next((f for f in self.forms if set(names) <= f.names()), None)


class _Connection(http.client.HTTPSConnection):
    def connect(self):
        plain = socket.create_connection(("127.0.0.1", self.port), timeout=self.timeout)
        self.sock = self._context.wrap_socket(plain, server_hostname=self.host)


class Browser:
    """One person's browser: a cookie jar, the page it shows, the way it came (`history`:
    method, URL, status)."""

    def __init__(self, ca_file, language="de"):
        """ca_file: the only authority trusted."""
        self.tls = ssl.create_default_context(cafile=str(ca_file)) if ca_file else None
        self.language = language
        self.cookies = {}
        self.page = None
        self.history = []

    def get(self, url):
        """As typed into the address bar: no other site is involved."""
        return self._go("GET", url, None, initiator=None, policy=None)

    def follow(self, url):
        """A link of the page shown."""
        return self._go("GET", urljoin(self.page.url, url), None, initiator=self.page.url,
                        policy=None)

    def submit(self, form, fields=None, button=None, untick=()):
        """Send a form of the page shown: `fields` overwrite or choose radio buttons, boxes named
        in `untick` (by name or value) are switched off, `button` names the one pressed."""
        fields = dict(fields or {})
        unknown = set(fields) - form.names()
        if unknown:
            raise BrowserError(f"{self.page.url} has no field {', '.join(sorted(unknown))}; "
                               f"it has {', '.join(sorted(form.names()))}")
        sent = [(n, fields.get(n, v)) for n, v in form.fields]
        for name, value, checked in form.boxes:
            if name in fields:
                checked = fields[name] == value
            if checked and name not in untick and value not in untick:
                sent.append((name, value))
        pressed = next(((n, v) for n, v in form.buttons if n and (button is None or button in (n, v))),
                       None)
        if pressed:
            sent.append(pressed)
        policy = self.page.headers.get("Content-Security-Policy")
        if form.method == "GET":
            return self._go("GET", form.action.split("?")[0] + "?" + urlencode(sent), None,
                            initiator=self.page.url, policy=policy)
        return self._go("POST", form.action, urlencode(sent).encode(), initiator=self.page.url,
                        policy=policy)

    def cookies_for(self, host):
        return [c for c in self.cookies.values() if c.domain == host]

    def _go(self, method, url, body, initiator, policy):
        for _ in range(MAX_REDIRECTS):
            _check_form_action(policy, initiator, url)
            self.page = self._exchange(method, url, body, initiator)
            if self.page.status not in (301, 302, 303, 307, 308):
                return self.page
            target = urljoin(url, self.page.headers["Location"])
            if self.page.status in (307, 308) and method == "POST":
                raise BrowserError(f"{url} repeats a POST to {target}")
            method, body, url = "GET", None, target
        raise BrowserError(f"{url}: too many redirects")

    def _exchange(self, method, url, body, initiator, more=None):
        """more: headers of a program's own."""
        u = urlsplit(url)
        if u.scheme != "https":
            raise BrowserError(f"{url} is not HTTPS")
        if not (u.hostname == "localhost" or u.hostname.endswith(".localhost")):
            raise BrowserError(f"{url} is not on this machine")
        now = time.time()
        cross_site = initiator is not None and site(initiator) != site(url)
        headers = {"Accept": "text/html,*/*;q=0.8", "Accept-Language": self.language,
                   "User-Agent": "demo-check"}
        sent = [f"{c.name}={c.value}" for c in self.cookies.values()
                if c.goes_to(url, method, cross_site, now)]
        if sent:
            headers["Cookie"] = "; ".join(sent)
        if body is not None:
            headers["Content-Type"] = "application/x-www-form-urlencoded"
            headers["Origin"] = origin(initiator)
        page = self._send(method, url, {**headers, **(more or {})}, body)
        self.history.append((method, url, page.status))
        for header in page.headers.get_all("Set-Cookie") or []:
            cookie = Cookie(header, url, now)
            if cookie.ends is not None and cookie.ends <= now:
                self.cookies.pop(cookie.key, None)
            else:
                self.cookies[cookie.key] = cookie
        return page

    def _send(self, method, url, headers, body):
        u = urlsplit(url)
        return exchange(_Connection(u.hostname, u.port or 443, context=self.tls, timeout=60),
                        method, url, headers, body)


def exchange(connection, method, url, headers, body=None):
    """One request on a connection (http.client) of its own, and the page it brings."""
    u = urlsplit(url)
    try:
        target = (u.path or "/") + (f"?{u.query}" if u.query else "")
        connection.request(method, target, body=body, headers=headers)
        answer = connection.getresponse()
        return Page(url, answer.status, answer.headers, answer.read())
    except (OSError, http.client.HTTPException) as e:
        raise BrowserError(f"{url}: {e!r}") from e
    finally:
        connection.close()


def answers(ca_file, url):
    """Is there a page?"""
    try:
        return Browser(ca_file).get(url).status == 200
    except BrowserError:
        return False


def _check_form_action(policy, page_url, target):
    """form-action holds for the form's target and for wherever that redirects to."""
    for directive in (policy or "").split(";"):
        words = directive.split()
        if not words or words[0].lower() != "form-action":
            continue
        allowed = [origin(page_url) if w == "'self'" else w.rstrip("/") for w in words[1:]]
        schemes = tuple(w for w in allowed if w.endswith(":"))
        if origin(target) not in allowed and target not in allowed and not target.startswith(schemes):
            raise BrowserError(f"the policy of {page_url} forbids a form that leads to {target}: "
                               f"{directive.strip()}")
