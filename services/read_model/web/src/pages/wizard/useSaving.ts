import { useMutation, useQueryClient } from "@tanstack/react-query";
import { useRef, useState } from "react";
import { api, data } from "@/api/client";
import type { Campaign, UploadReport } from "@/api/types";
import { upload } from "@/api/upload";
import { type Body, bodyOf, changesOf, type Draft } from "./draft";

interface Wish {
  draft: Draft;
  file: File | null;
}

/** What came of it. `upload` is null where there was no file. */
export interface Saved {
  id: string;
  upload: UploadReport | null;
}

/** How far a file is: null while there is none on its way. */
export interface Moving {
  bytes: number;
  total: number;
  stop: () => void;
}

interface Known {
  id: string;
  /** What the platform has; what is not named is sent again. */
  settings: Partial<Body>;
}

/**
 * Create or change a campaign, then upload its audience.
 *
 * When the upload fails the campaign is there all the same: trying again goes on from there.
 */
export function useSaving(campaign: Known | null, onCreated: (id: string) => void) {
  const client = useQueryClient();
  const known = useRef(campaign);
  const [moving, setMoving] = useState<Moving | null>(null);
  const saving = useMutation({
    mutationFn: async ({ draft, file }: Wish): Promise<Saved> => {
      const settings = bodyOf(draft);
      const id = known.current ? await change(known.current, settings) : await create(settings);
      if (!known.current) onCreated(id);
      known.current = { id, settings };
      return { id, upload: file ? await send(id, file, setMoving) : null };
    },
    onSettled: async () => {
      setMoving(null);
      await Promise.all(
        [["campaigns"], ["campaign"], ["overview"], ["moderation"]].map((queryKey) =>
          client.invalidateQueries({ queryKey }),
        ),
      );
    },
  });
  return { ...saving, moving };
}

async function create(body: Body): Promise<string> {
  return (await data(api.POST("/api/v1/campaigns", { body }))).id;
}

async function change({ id, settings }: Known, wanted: Body): Promise<string> {
  const changes = changesOf(settings, wanted);
  if (Object.keys(changes).length > 0) {
    const params = { path: { campaign_id: id } };
    // The document describes whole groups of settings; only those that differ are sent.
    const body = changes as never;
    await data(api.PATCH("/api/v1/campaigns/{campaign_id}", { params, body }));
  }
  return id;
}

async function send(
  id: string,
  file: File,
  setMoving: (moving: Moving) => void,
): Promise<UploadReport> {
  const ending = new AbortController();
  const stop = () => ending.abort();
  const onProgress = (bytes: number) => setMoving({ bytes, total: file.size, stop });
  onProgress(0);
  const path = `/api/v1/campaigns/${id}/contacts`;
  return upload<UploadReport>({ path, file, onProgress, signal: ending.signal });
}

/** The campaign that there is already: one to be edited, or one that was created before a reload. */
export function knownOf(
  campaign: Campaign | null,
  draft: Draft,
  made: string | null,
): Known | null {
  if (campaign) return { id: campaign.id, settings: bodyOf(draft) };
  return made === null ? null : { id: made, settings: {} };
}
