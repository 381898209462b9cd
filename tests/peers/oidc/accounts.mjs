// The people of the test provider. What a relying party may trip over is in the claims: groups that
// are unknown, none or of the wrong type, addresses nobody verified, names that belong to others.
// `sub` never changes and never looks like the name.

const groups = (list, realm = ['user'], here = []) => ({
  groups: list,
  realm_access: { roles: realm },
  resource_access: { vestibule: { roles: here } },
});

const person = (n, name, given, claims, more = {}) => ({
  password: `${name}-pass-1`,
  disabled: false,
  acr: '1',
  amr: ['pwd'],
  ...more,
  claims: {
    sub: `6f1d2c3a-0000-4000-8000-${String(n).padStart(12, '0')}`,
    preferred_username: name,
    name: given,
    email: `${name}@lab.example`,
    email_verified: true,
    ...claims,
  },
});

export const freshAccounts = () => ({
  ann: person(1, 'ann', 'Ann Archer', groups(['/lab/team'], ['user', 'staff'], ['editor'])),
  bert: person(2, 'bert', 'Bert Baker', groups(['/lab/team', '/lab/guests'])),
  // Her groups are not known: the claim is absent, which is not the same as an empty list.
  carla: person(3, 'carla', 'Carla Cook', {}),
  // He is known to be in no group.
  dirk: person(4, 'dirk', 'Dirk Dyer', groups([], [], [])),
  // She claims ann's address, and nobody has verified it.
  eve: person(5, 'eve', 'Eve Evans', { email: 'ann@lab.example', email_verified: false, ...groups(['/lab/guests']) }),
  // He has ann's address verified, as another tenant of the same provider might.
  finn: person(6, 'finn', 'Finn Fisher', { email: 'ann@lab.example', ...groups(['/lab/guests']) }),
  // She chose ann's name and a group that sounds important.
  gina: person(7, 'gina', 'Gina Glover', { preferred_username: 'ann', ...groups(['/admin', 'admin', '/lab/team/../admin']) }),
  // His provider answers with claims of the wrong types.
  hugo: person(8, 'hugo', 'Hugo Hunter', { groups: '/lab/team', realm_access: ['staff'], resource_access: 'editor', email_verified: 'true' }),
  // No name and no address at all: only the subject.
  ida: person(9, 'ida', 'Ida Ironside', { preferred_username: undefined, name: undefined, email: undefined, email_verified: undefined, ...groups(['/lab/team']) }),
  // A second factor was used.
  olga: person(10, 'olga', 'Olga Ochs', groups(['/lab/team'], ['user', 'admin']), { acr: '2', amr: ['pwd', 'otp', 'mfa'] }),
  // Names are not ASCII everywhere, nor short.
  zoe: person(11, 'zoe', 'Zoë Žižková 😀', { preferred_username: 'zoë', email: 'zoë@lab.example', ...groups(['/lab/größe', '/läb/team']) }),
  // She has left: the provider does not let her in.
  yara: person(12, 'yara', 'Yara Young', groups(['/lab/team']), { disabled: true }),
});
