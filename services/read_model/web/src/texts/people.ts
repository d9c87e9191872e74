/** What may be done about single people of a campaign. */
export const people = {
  phones: "Phone numbers",
  phone: "Phone number",
  needed: "Give a phone number.",
  nobody: "None of these numbers was taken.",
  failed: "The campaign's people stay as they were",
  add: {
    title: "Add contacts",
    hint: "One in a line. They are called while the campaign runs.",
    submit: "Add",
    done: "Contacts added",
  },
  exclude: {
    title: "Leave people out",
    hint: "One in a line. This campaign does not reach them any more; others may.",
    submit: "Leave out",
    done: "People left out",
  },
  push: {
    title: "Send one message",
    hint: "It goes out at once, or as soon as the campaign is resumed.",
    submit: "Send",
  },
  pushed: (number: number, status: string) => `Message ${number}: ${status}`,
};
