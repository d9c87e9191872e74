import { Button } from "@mantine/core";
import { IconDownload } from "@tabler/icons-react";
import { useMutation } from "@tanstack/react-query";
import { download } from "@/api/download";
import { texts } from "@/texts";
import { notifyDone, notifyFailure } from "./notify";

interface Parts {
  path: string;
  file: string;
  label: string;
}

/** Save a report as a file. */
export function DownloadButton({ path, file, label }: Parts) {
  const saving = useMutation({
    mutationFn: () => download(path, file),
    onSuccess: (saved) => {
      if (saved) notifyDone(texts.downloads.saved(file));
    },
    onError: (error) => notifyFailure(texts.downloads.failed, error),
  });
  return (
    <Button
      variant="default"
      loading={saving.isPending}
      onClick={() => saving.mutate()}
      leftSection={<IconDownload size={16} aria-hidden />}
    >
      {label}
    </Button>
  );
}
