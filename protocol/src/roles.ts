/** What a role on a session may do. Grants are read from storage at each mutating frame (SPEC RO1). */
export const ROLES = ["viewer", "commenter", "approver", "driver", "owner"] as const;
export type Role = (typeof ROLES)[number];

export type Ability = "read" | "propose" | "approve" | "drive" | "own";

const ABILITIES: Record<Role, readonly Ability[]> = {
  viewer: ["read"],
  commenter: ["read", "propose"],
  approver: ["read", "propose", "approve"],
  driver: ["read", "propose", "approve", "drive"],
  owner: ["read", "propose", "approve", "drive", "own"],
};

export const may = (role: Role, ability: Ability): boolean => ABILITIES[role].includes(ability);
