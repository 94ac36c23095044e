// The panel: what the bot knows of each connection, and ways to break it.
import { get, post } from "./calls.js";
import { made } from "./chat.js";

const API = "/playground/api";
const STATES = { active: "works", lapsed: "lapsed", unconnected: "not connected", retired: "retired" };
const EVERY = 1500; // ms; what changes by itself (a check that is repeated) is seen this soon

export class Panel {
  #rows = new Map();
  #networks = new Map();
  #soon = null;

  /** `show` brings somebody's messages to the front. */
  constructor(root, breakages, steps, show) {
    this.root = root;
    for (const days of steps) {
      const button = made("button", days === 1 ? "A day later" : `${days} days later`, { type: "button" });
      button.addEventListener("click", () => this.#act(button, () => post(`${API}/later`, { days })));
      root.querySelector(".clock").append(button);
    }
    this.breakages = breakages;
    this.show = show;
    this.failure = root.querySelector(".failure");
    this.wanted = root.querySelector(".find input");
    this.wanted.addEventListener("input", () => this.#find());
  }

  async start() {
    await this.refresh();
    setInterval(() => document.hidden || this.refresh(), EVERY);
  }

  /** Read again in a moment: many changes come at once. */
  soon() {
    this.#soon ??= setTimeout(() => {
      this.#soon = null;
      this.refresh();
    }, 150);
  }

  async refresh() {
    const { networks, connections, today } = await get(`${API}/connections`).catch(() => ({ networks: [], connections: [] }));
    if (today) set(this.root.querySelector(".clock time"), today.slice(0, 16).replace("T", " "));
    for (const network of networks) this.#drawNetwork(network);
    for (const connection of connections) this.#draw(connection);
    this.#find();
  }

  /** Show what has every word that is looked for, in its own text or its network's name. */
  #find() {
    const words = this.wanted.value.toLowerCase().split(/\s+/).filter(Boolean);
    let none = this.#networks.size > 0;
    for (const network of this.#networks.values()) {
      const name = network.querySelector("h3").textContent;
      let empty = true;
      for (const row of network.querySelectorAll(".connection")) {
        const text = `${name} ${row.querySelector(".about").textContent}`.toLowerCase();
        row.hidden = !words.every((word) => text.includes(word));
        empty &&= row.hidden;
      }
      network.hidden = empty;
      none &&= empty;
    }
    this.root.querySelector(".none").hidden = !none;
  }

  #drawNetwork({ slug, name, down, switch: switchable, page }) {
    if (!this.#networks.has(slug)) {
      const node = document.querySelector("#network").content.cloneNode(true).firstElementChild;
      node.dataset.network = slug;
      node.querySelector("h3").textContent = name;
      node.querySelector(".held").textContent = `${name} is not answering. That is no lapse: nothing turns red, and if several logins fail one calm line is told.`;
      if (page) {
        const link = made("a", "Open it", { href: page, target: "_blank", rel: "noreferrer" });
        node.querySelector("h3").after(link);
      }
      const button = node.querySelector(".switch");
      button.hidden = !switchable;
      button.addEventListener("click", () => {
        const body = { network: slug, down: !node.hasAttribute("data-down") };
        this.#act(button, () => post(`${API}/network`, body));
      });
      this.root.querySelector(".networks").append(node);
      this.#networks.set(slug, node);
    }
    const node = this.#networks.get(slug);
    node.toggleAttribute("data-down", down);
    node.querySelector(".held").hidden = !down;
    node.querySelector(".switch").textContent = down ? "Bring network back" : "Take network down";
  }

  #draw(connection) {
    const node = this.#rows.get(connection.id) ?? this.#added(connection);
    node.dataset.state = connection.state;
    node.toggleAttribute("data-looking", connection.looking);
    const cause = connection.cause ? `${STATES.lapsed}: ${connection.cause}` : STATES[connection.state];
    set(node.querySelector(".state"), connection.looking ? "unclear, looking again" : cause);
    set(node.querySelector(".who .name"), connection.connector);
    const select = node.querySelector("select");
    select.disabled = !connection.breakable;
    select.hidden = Boolean(connection.broken);
    const repair = node.querySelector(".repair");
    repair.hidden = !connection.broken;
    repair.title = connection.broken ? `${connection.broken}: undo that at the network` : "";
  }

  #added(connection) {
    const node = document.querySelector("#connection").content.cloneNode(true).firstElementChild;
    node.dataset.account = connection.account;
    node.querySelector(".account").textContent = connection.account;
    node.querySelector(".account").title = connection.account_id;
    node.querySelector(".client").textContent = connection.client;
    const select = node.querySelector("select");
    select.setAttribute("aria-label", `Break ${connection.account}`);
    select.append(made("option", "Break…", { value: "" }));
    for (const { kind, label, networks } of this.breakages) {
      if (networks.includes(connection.network)) select.append(made("option", label, { value: kind }));
    }
    select.addEventListener("change", () => {
      const kind = select.value;
      select.value = "";
      if (!kind) return;
      this.show(connection.connector_key);
      this.#act(node, () => post(`${API}/break`, { connection: connection.id, kind }));
    });
    const repair = node.querySelector(".repair");
    repair.setAttribute("aria-label", `Repair ${connection.account}`);
    repair.addEventListener("click", () => this.#act(node, () => post(`${API}/repair`, { connection: connection.id })));
    this.#networks.get(connection.network).querySelector("ul").append(node);
    this.#rows.set(connection.id, node);
    return node;
  }

  async #act(node, act) {
    node.setAttribute("aria-busy", "true");
    this.failure.textContent = "";
    try {
      await act();
    } catch (error) {
      this.failure.textContent = error.message;
    }
    node.removeAttribute("aria-busy");
    await this.refresh();
  }
}

function set(node, text) {
  if (node.textContent !== text) node.textContent = text;
}
