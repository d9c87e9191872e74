// Names for what the API speaks of. The shapes are generated from docs/openapi.json: `make openapi`.
import type { components } from "./schema";

type Schemas = components["schemas"];

export type Overview = Schemas["Overview"];
export type Kpi = Schemas["Kpi"];
export type Pulse = Schemas["Pulse"];
export type Delivery = Schemas["Delivery"];
export type Funnel = Schemas["Funnel"];
export type Hour = Schemas["Hour"];
export type TopAuthor = Schemas["TopAuthor"];
export type Diagnosed = Schemas["Diagnosed"];
export type RecentCampaign = Schemas["Recent"];
export type CampaignRow = Schemas["Row"];
export type Campaign = Schemas["Campaign"];
export type SmsCampaign = Schemas["SmsCampaign"];
export type VoiceCampaign = Schemas["VoiceCampaign"];
export type WrittenCampaign = Schemas["Written"];
export type SmsStats = Schemas["SmsStats"];
export type VoiceStats = Schemas["VoiceStats"];
export type Progress = Schemas["Progress"];
export type Action = Schemas["Action"];
export type Person = Schemas["Person"];
export type Message = Schemas["Message"];
export type Call = Schemas["Call"];
export type Attempt = Schemas["Attempt"];
export type Happening = Schemas["Happening"];
export type UploadReport = Schemas["UploadReport"];
export type Previewed = Schemas["Previewed"];
export type Link = Schemas["Link"];
export type Sender = Schemas["ShownSender"];
export type WaitingCampaign = Schemas["Waiting"];
export type WaitingRevision = Schemas["WaitingRevision"];
export type Suppression = Schemas["Suppression"];
export type WorkspaceSettings = Schemas["ShownSettings"];
export type AuditItem = Schemas["AuditItem"];
export type Problem = Schemas["Problem"];

export type Channel = CampaignRow["channel"];
export type Status = CampaignRow["status"];
