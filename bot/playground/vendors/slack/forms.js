// What stands in a modal that html.py drew, as the control API's `submit` and `press-view` want it:
// {block_id: {action_id: chosen}}, where chosen is a text, an option's value, an id, or a list of them.
export function filled(form) {
  const values = {};
  for (const field of form.querySelectorAll("input[data-block-id], select[data-block-id], textarea[data-block-id]")) {
    const { blockId, actionId, type } = field.dataset;
    const block = (values[blockId] ??= {});
    if (field.type === "checkbox") {
      const ticked = (block[actionId] ??= []);
      if (field.checked) ticked.push(field.value);
    } else if (field.type === "radio") {
      if (field.checked) block[actionId] = field.value;
    } else if (field.multiple) {
      block[actionId] = [...field.selectedOptions].map(({ value }) => value);
    } else if (type === "datetimepicker" && field.value !== "") {
      block[actionId] = Math.floor(new Date(field.value) / 1000);
    } else {
      block[actionId] = field.value;
    }
  }
  return values;
}
