import { useMutation, useQuery } from "@tanstack/react-query";
import type { ProjectModel } from "@ai-dev-platform/protocol/api/providers";
import type { ProjectBody } from "@ai-dev-platform/protocol/http";
import { api } from "../api/client.ts";
import { queryClient } from "../query-client.ts";

const PROJECTS_KEY = ["projects"] as const;

export const useProjects = () =>
  useQuery({ queryKey: PROJECTS_KEY, queryFn: async () => (await api.get<{ projects: ProjectBody[] }>("/api/projects")).projects });

export const reloadProjects = () => queryClient.invalidateQueries({ queryKey: PROJECTS_KEY });

export interface ProjectPatch {
  name?: string;
  archived?: boolean;
  trustProject?: boolean;
  model?: ProjectModel | null;
}

export const useProjectActions = () => {
  const patch = useMutation({
    mutationFn: ({ projectId, ...body }: ProjectPatch & { projectId: string }) =>
      api.patch<ProjectBody>(`/api/projects/${projectId}`, body),
    onSettled: reloadProjects,
  });
  const remove = useMutation({
    mutationFn: (projectId: string) => api.delete(`/api/projects/${projectId}`),
    onSettled: () => Promise.all([reloadProjects(), queryClient.invalidateQueries({ queryKey: ["sessions"] })]),
  });
  return { patch, remove };
};
