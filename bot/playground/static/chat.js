// One chat beside the other: whose eyes one sees it with, a channel and a DM, messages that change in place, a composer.

export class ChatPane {
  #shown = new Map(); // message key, to its HTML and its node
  #unread = new Set(); // "user/place"
  #reading = 0;
  #wanted = 0;

  /** `vendor` knows the platform (slack.js, discord.js), `visitor` whose the browser is; `opened` is when, in seconds. */
  constructor(root, vendor, people, visitor, opened) {
    this.root = root;
    this.vendor = vendor;
    this.people = people;
    this.visitor = visitor;
    this.opened = opened;
    this.person = people.find(({ key }) => key === visitor.key) ?? people[0];
    this.place = "channel";
    this.messages = root.querySelector(".messages");
    this.failure = root.querySelector(".failure");
    root.querySelector(".workspace").textContent = vendor.workspace;
    this.#build();
  }

  async start() {
    this.#mark();
    await this.refresh();
    await this.vendor.listen((change) => this.#changed(change));
  }

  #build() {
    const people = this.root.querySelector(".people");
    for (const person of this.people) {
      const button = made("button", person.name.split(" ")[0], { type: "button", title: `${person.name}: ${person.about}` });
      button.dataset.person = person.key;
      button.addEventListener("click", () => this.be(person));
      people.append(button);
    }
    for (const button of this.root.querySelectorAll("[data-place]")) {
      button.addEventListener("click", () => this.go(button.dataset.place));
    }
    const composer = this.root.querySelector(".composer");
    composer.addEventListener("submit", (event) => {
      event.preventDefault();
      const text = composer.elements.text.value.trim();
      composer.elements.text.value = "";
      if (text) this.#do(() => this.vendor.send(this.person, this.place, text));
    });
    this.vendor.offer?.(composer.elements.text, () => ({ person: this.person, place: this.place }));
    const tries = this.root.querySelector(".tries");
    for (const text of this.vendor.tries) {
      const button = made("button", text, { type: "button" });
      button.addEventListener("click", () => this.#do(() => this.vendor.send(this.person, this.place, text)));
      tries.append(button);
    }
    this.messages.addEventListener("click", (event) => this.#clicked(event));
    // A menu that opens below the edge would have to be looked for. "toggle" does not bubble, so it is caught on the way.
    this.messages.addEventListener("toggle", (event) => event.target.lastElementChild.scrollIntoView({ block: "nearest" }), true);
    this.messages.addEventListener("change", (event) => {
      if (event.target.matches("select")) this.#use(event.target);
    });
  }

  /** Look through somebody else's eyes; the browser becomes theirs as well. */
  async be(person) {
    this.person = person;
    await this.#opened();
    await this.#do(() => this.visitor.become(person));
  }

  async go(place) {
    this.place = place;
    await this.#opened();
  }

  async #opened() {
    this.#shown.clear();
    this.messages.replaceChildren();
    this.failure.textContent = "";
    this.#mark();
    await this.vendor.open?.(this.person, this.place);
    await this.refresh();
  }

  #mark() {
    this.#unread.delete(`${this.person.user}/${this.place}`);
    for (const button of this.root.querySelectorAll("[data-person]")) {
      const { user, key } = this.people.find((one) => one.key === button.dataset.person);
      button.setAttribute("aria-pressed", key === this.person.key);
      button.toggleAttribute("data-unread", key !== this.person.key && this.#unread.has(`${user}/dm`));
    }
    for (const button of this.root.querySelectorAll("[data-place]")) {
      const { place } = button.dataset;
      button.setAttribute("aria-current", place === this.place);
      button.toggleAttribute("data-unread", this.#unread.has(`${this.person.user}/${place}`));
    }
  }

  #changed({ place, user, isNew }) {
    if (place === "form") return void (user === this.person.user && this.vendor.showForm(this.root, this.person));
    if (place === this.place && (user === null || user === this.person.user)) this.refresh();
    else if (isNew) {
      for (const one of user === null ? this.people.map((p) => p.user) : [user]) this.#unread.add(`${one}/${place}`);
    }
    this.#mark();
    this.root.dispatchEvent(new CustomEvent("heard", { bubbles: true }));
  }

  /** Read the conversation again. Changes that come while it is being read lead to one more reading, not to many. */
  async refresh() {
    this.#wanted += 1;
    if (this.#reading) return;
    while (this.#reading !== this.#wanted) {
      this.#reading = this.#wanted;
      const [person, place] = [this.person, this.place];
      const messages = await this.vendor.history(person, place).catch(() => null);
      // Private answers live as long as the client is open, at the real ones too: those from before are gone.
      const there = messages?.filter(({ at, isPrivate }) => !isPrivate || at >= this.opened);
      if (there && person === this.person && place === this.place) this.#draw(there);
    }
    this.#reading = this.#wanted = 0;
  }

  /** Put what is new or different on the screen, and leave alone what is not: an open menu stays open. */
  #draw(messages) {
    const first = this.#shown.size === 0;
    const atEnd = this.messages.scrollHeight - this.messages.scrollTop - this.messages.clientHeight < 80;
    const keys = new Set(messages.map(({ key }) => key));
    for (const [key, { node }] of this.#shown) {
      if (!keys.has(key)) {
        node.remove();
        this.#shown.delete(key);
      }
    }
    let grew = false;
    messages.forEach(({ key, html }, index) => {
      const old = this.#shown.get(key);
      let node = old?.node;
      if (old?.html !== html) {
        node = document.createRange().createContextualFragment(html).firstElementChild; // escaped by the stand-in
        if (!first) node.classList.add("fresh");
        old?.node.replaceWith(node);
        grew ||= !old;
        this.#shown.set(key, { html, node });
      }
      if (this.messages.children[index] !== node) this.messages.insertBefore(node, this.messages.children[index] ?? null);
    });
    if (!messages.length) this.messages.replaceChildren(made("p", "Nothing yet. Break a connection, or type a command.", { className: "nothing" }));
    else this.messages.querySelector(".nothing")?.remove();
    if ((first || (grew && atEnd)) && this.place !== "home") this.messages.scrollTop = this.messages.scrollHeight;
  }

  #clicked(event) {
    const link = event.target.closest("a[href]");
    if (link) return this.#follow(event, link);
    const button = event.target.closest("button");
    if (button) this.#use(button);
  }

  /** Open a link as the person whose chat it is in: their browser, not the one of whoever was here before. */
  async #follow(event, link) {
    if (link.dataset.actionId) this.#do(() => this.vendor.use(this.person, this.place, link));
    if (this.visitor.key === this.person.key) return; // then the browser opens it by itself
    event.preventDefault();
    await this.#do(() => this.visitor.become(this.person));
    window.open(link.href, "_blank", "noopener");
  }

  async #use(element) {
    const { confirm: question } = element.dataset;
    if (question && !window.confirm(JSON.parse(question).text)) return;
    element.closest("details")?.removeAttribute("open");
    element.setAttribute("aria-busy", "true");
    await this.#do(() => this.vendor.use(this.person, this.place, element));
    element.removeAttribute("aria-busy");
  }

  async #do(act) {
    this.failure.textContent = "";
    try {
      this.failure.textContent = (await act()) ?? "";
    } catch (error) {
      this.failure.textContent = error.message;
    }
  }
}

export function made(tag, text, properties = {}) {
  return Object.assign(document.createElement(tag), { textContent: text }, properties);
}
