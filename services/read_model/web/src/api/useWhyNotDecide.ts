import { useQuery } from "@tanstack/react-query";
import { useMay, useSession } from "@/auth/session";
import { texts } from "@/texts";
import { settingsQuery } from "./names";
import type { Person } from "./types";

/** Says why this person can not approve or reject what `author` made; null when they can. */
export function useWhyNotDecide(): (author: Person) => string | null {
  const mayModerate = useMay("moderate");
  const me = useSession()?.person.id;
  const { data: settings } = useQuery(settingsQuery);
  return (author) => {
    if (!mayModerate) return texts.moderation.notAllowed;
    const isOwn = author.id === me && !settings?.allow_self_approval;
    return isOwn ? texts.moderation.own : null;
  };
}
