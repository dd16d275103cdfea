/**
 * Words and projects of their own that are one slip away from a popular name: they are meant, more often than not. Curated by hand: a word of the
 * dictionary, or a project that publishes images under that name.
 */
export const WORD_NAMES = `
word:
  mssql httpx mono mango mongod mongos redir reds nova note code mode base core host hosts bush rush dash stash cash crane crater stork clone
  clones prone stark shift swifts spike gong stats cats rats path betty blink flint fluent photo proton pythia caddie daddy buddy candy cart part
  trust rest pearl peril gravel cradle griddle ladle market marina mariner portal postal posts postgis drop droplet elastic opensearch influx
  telegram logs haven raven tomb notary rotary dotary register registrar docket rocker locker mocker debit salt malt unity units unix exit emacs
  pitch ditch witch match plane plain clove cloud monit monitor photons protons swim warm storms solar sold sole polar vaults fault default consult
  consuls council ghosts guest coast boost composed compose julian juliet julie ironic irish radar cruz flux toybox postfix grooves nimble
  zinc sync sonar sonarr radarr lidarr mysqld wiki twiki jango flask crates konga zuul rose rosa pros celeste salary galaxy lava kava
  gentry rails trails mails jails open squad squads swarms thrifts alpina nobel bust dust rust crust
`;
