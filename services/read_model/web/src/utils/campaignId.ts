/** The last 8 characters of an id, which people read out to each other. */
export function getShortCampaignId(id: string): string {
  return id.slice(-8);
}
