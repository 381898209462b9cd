"""Logs in through the service provider as a browser without scripts would.

    python3 login.py URL USER PASSWORD [--cookies]

Follows redirects, fills in the identity provider's form, posts the answer back and prints
the body of the page it ends on, or with --cookies the cookies of the service provider as
the value of a Cookie header. Exit status 1 when the login fails.
"""

import html.parser
import http.cookiejar
import sys
import urllib.error
import urllib.parse
import urllib.request


class Form(html.parser.HTMLParser):
    """The first form of a page."""

    def __init__(self, page):
        super().__init__()
        self.action, self.fields, self.inside = None, {}, False
        self.feed(page)

    def handle_starttag(self, tag, attributes):
        attributes = dict(attributes)
        if tag == "form" and self.action is None:
            self.action, self.inside = attributes.get("action") or "", True
        elif tag == "input" and self.inside and attributes.get("name"):
            self.fields[attributes["name"]] = attributes.get("value") or ""

    def handle_endtag(self, tag):
        if tag == "form":
            self.inside = False


class Browser:
    def __init__(self):
        self.jar = http.cookiejar.CookieJar(http.cookiejar.DefaultCookiePolicy(rfc2965=False))
        self.opener = urllib.request.build_opener(
            urllib.request.ProxyHandler({}), urllib.request.HTTPCookieProcessor(self.jar))

    def open(self, url, form=None, headers=None):
        """(status, final address, body); never raises for a status."""
        data = urllib.parse.urlencode(form).encode() if form is not None else None
        request = urllib.request.Request(url, data, headers or {})
        try:
            answer = self.opener.open(request, timeout=30)
        except urllib.error.HTTPError as error:
            answer = error
        with answer:
            return answer.status, answer.geturl(), answer.read().decode("utf-8", "replace")

    def login(self, url, user, password):
        """Goes to a protected address; (status, address, body) of where that ends."""
        status, at, page = self.open(url)
        for _ in range(6):
            form = Form(page) if status == 200 else None
            if form is None or form.action is None:
                return status, at, page
            fields = form.fields
            if "password" in fields:
                if fields["password"] or "asked" in self.__dict__:
                    raise PermissionError("the identity provider refused the login")
                self.asked = True
                fields |= {"username": user, "password": password}
            elif "SAMLResponse" not in fields:
                return status, at, page
            status, at, page = self.open(urllib.parse.urljoin(at, form.action), fields)
        raise PermissionError("the login goes in circles")

    def cookies(self, part):
        return "; ".join(f"{c.name}={c.value}" for c in self.jar if part in c.name)


if __name__ == "__main__":
    browser = Browser()
    try:
        status, at, page = browser.login(*sys.argv[1:4])
    except PermissionError as refused:
        sys.exit(str(refused))
    if "--cookies" in sys.argv:
        if not browser.cookies("_shibsession_"):
            sys.exit("no session")
        print(browser.cookies("_shibsession_"))
    else:
        print(page)
    sys.exit(0 if status == 200 else 1)
