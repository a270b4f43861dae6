// Reads a calendar from stdin with ical.js and prints what it understood: the moments by the file's own time zones.
import { readFileSync } from "node:fs";
import ICAL from "ical.js";

const calendar = new ICAL.Component(ICAL.parse(readFileSync(0, "utf8")));
const zones = calendar.getAllSubcomponents("vtimezone").map((zone) => new ICAL.Timezone(zone));
for (const zone of zones) ICAL.TimezoneService.register(zone, zone.tzid);

const plain = (time) => (time.isDate ? time.toString() : time.toJSDate().toISOString());
const events = calendar.getAllSubcomponents("vevent").map((component) => {
  const event = new ICAL.Event(component);
  return {
    uid: event.uid,
    sequence: event.sequence,
    summary: event.summary,
    location: event.location,
    description: event.description,
    organizer: event.organizer,
    starts: plain(event.startDate),
    ends: plain(event.endDate),
    zone: event.startDate.zone.tzid,
    status: component.getFirstPropertyValue("status"),
    stamp: plain(component.getFirstPropertyValue("dtstamp")),
    attendees: event.attendees.length,
  };
});
const property = (name) => calendar.getFirstPropertyValue(name);
console.log(
  JSON.stringify({
    method: property("method"),
    name: property("name"),
    again: String(property("refresh-interval")),
    zones: zones.map((zone) => zone.tzid),
    events,
  }),
);
