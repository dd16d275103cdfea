/**
 * Tokens that are known by how they begin. `keyword` is looked for first, without regard to case; the expression is tried from `back` bytes before it and from there only.
 * Sources: the issuers' own pages on token formats; the rules of gitleaks (MIT) and of Trivy (Apache-2.0) were read for kinds that were missing.
 */
import type { Severity } from '../../../findings/index.ts';
import { hasGithubChecksum, hasGrafanaChecksum, isAzureKey, isJwt } from './checks.ts';

export interface TokenRule {
  readonly id: string;
  /** `GitHub token`: what it is, for messages. */
  readonly title: string;
  readonly severity: Severity;
  readonly keywords: readonly string[];
  /** As `parsePattern` reads it; the longest match counts. */
  readonly pattern: string;
  /** Bytes before the keyword at which the expression starts. Default 0. */
  readonly back?: number;
  /** The least entropy, in bits a character. */
  readonly entropy?: number;
  readonly check?: (token: string) => boolean;
}

const rule = (id: string, title: string, severity: Severity, keywords: readonly string[], pattern: string, more: Pick<TokenRule, 'back' | 'entropy' | 'check'> = {}): TokenRule => ({ id, title, severity, keywords, pattern, ...more });

export const TOKEN_RULES: readonly TokenRule[] = [
  rule('aws-access-key', 'AWS access key', 'critical', ['AKIA', 'ASIA', 'ABIA', 'ACCA'], '(AKIA|ASIA|ABIA|ACCA)[A-Z2-7]{16}', { entropy: 3 }),
  rule('gcp-api-key', 'Google API key', 'high', ['AIza'], 'AIza[0-9A-Za-z_-]{35}', { entropy: 3.5 }),
  rule('gcp-oauth-secret', 'Google OAuth client secret', 'high', ['GOCSPX-'], 'GOCSPX-[0-9A-Za-z_-]{28}', { entropy: 3.5 }),
  rule('azure-storage-key', 'Azure account key', 'critical', ['AccountKey=', 'SharedAccessKey='], '(AccountKey|SharedAccessKey)=([A-Za-z0-9+/]{86}==|[A-Za-z0-9+/]{43}=)', { check: isAzureKey }),
  rule('azure-client-secret', 'Azure client secret', 'critical', ['Q~'], '[A-Za-z0-9_~.]{3}[0-9]Q~[A-Za-z0-9_~.-]{31,34}', { back: 4, entropy: 3.5 }),
  rule('github-token', 'GitHub token', 'critical', ['ghp_', 'gho_', 'ghu_', 'ghs_', 'ghr_'], 'gh[pousr]_[0-9A-Za-z]{36}', { check: hasGithubChecksum }),
  rule('github-fine-grained-token', 'GitHub token', 'critical', ['github_pat_'], 'github_pat_[0-9A-Za-z]{22}_[0-9A-Za-z]{59}', { entropy: 4 }),
  rule('gitlab-token', 'GitLab token', 'critical', ['glpat-', 'glrt-', 'gldt-', 'glptt-', 'glcbt-', 'glsoat-', 'glagent-', 'glffct-', 'glft-', 'glimt-'], '(glpat|glrt|gldt|glptt|glcbt|glsoat|glagent|glffct|glft|glimt)-[0-9A-Za-z_.-]{20,64}', { entropy: 3 }),
  rule('slack-token', 'Slack token', 'critical', ['xoxb-', 'xoxp-', 'xoxa-', 'xoxr-', 'xoxs-', 'xoxe', 'xapp-'], '(xox[bpars]-[0-9]{8,14}-[0-9A-Za-z-]{16,146}|xoxe(\\.xox[bp])?-1-[0-9A-Za-z-]{100,170}|xapp-1-[0-9A-Z]{9,12}-[0-9]{10,14}-[0-9a-f]{64})', { entropy: 3 }),
  rule('slack-webhook', 'Slack webhook', 'medium', ['hooks.slack.com/'], 'hooks\\.slack\\.com/(services|workflows)/T[0-9A-Z]{8,12}/[BA][0-9A-Z]{8,12}/[0-9A-Za-z]{20,26}', { entropy: 4 }),
  rule('stripe-key', 'Stripe key', 'critical', ['sk_live_', 'rk_live_'], '[sr]k_live_[0-9A-Za-z]{24,200}', { entropy: 3.5 }),
  rule('stripe-webhook-secret', 'Stripe webhook secret', 'high', ['whsec_'], 'whsec_[0-9A-Za-z+/=]{32,64}', { entropy: 3.5 }),
  rule('npm-token', 'npm token', 'critical', ['npm_'], 'npm_[0-9A-Za-z]{36}', { check: hasGithubChecksum }),
  rule('pypi-token', 'PyPI token', 'critical', ['pypi-AgE'], 'pypi-AgE(IcHlwaS5vcmc|NdGVzdC5weXBpLm9yZw)[0-9A-Za-z_-]{50,1000}', { entropy: 4 }),
  rule('rubygems-token', 'RubyGems token', 'critical', ['rubygems_'], 'rubygems_[0-9a-f]{48}', { entropy: 3 }),
  rule('crates-token', 'crates.io token', 'critical', ['cio'], 'cio[0-9A-Za-z]{32}', { entropy: 4 }),
  rule('docker-hub-token', 'Docker Hub token', 'critical', ['dckr_pat_', 'dckr_oat_'], 'dckr_[po]at_[0-9A-Za-z_-]{27,32}', { entropy: 3.5 }),
  rule('sendgrid-key', 'SendGrid key', 'critical', ['SG.'], 'SG\\.[0-9A-Za-z_-]{22}\\.[0-9A-Za-z_-]{43}', { entropy: 4 }),
  rule('twilio-key', 'Twilio API key', 'high', ['SK'], 'SK[0-9a-f]{32}', { entropy: 3.2 }),
  rule('mailgun-key', 'Mailgun key', 'high', ['key-'], 'key-[0-9a-f]{32}', { entropy: 3.2 }),
  rule('mailchimp-key', 'Mailchimp key', 'high', ['-us'], '[0-9a-f]{32}-us[0-9]{1,2}', { back: 32, entropy: 3.2 }),
  rule('openai-key', 'OpenAI key', 'critical', ['sk-'], 'sk-((proj|svcacct|admin|None)-[0-9A-Za-z_-]{20,100}T3BlbkFJ[0-9A-Za-z_-]{20,100}|[0-9A-Za-z]{20}T3BlbkFJ[0-9A-Za-z]{20})', { entropy: 4 }),
  rule('anthropic-key', 'Anthropic key', 'critical', ['sk-ant-'], 'sk-ant-(api|admin|oat|sid)[0-9]{2}-[0-9A-Za-z_-]{80,120}', { entropy: 4 }),
  rule('huggingface-token', 'Hugging Face token', 'high', ['hf_', 'api_org_'], '(hf_|api_org_)[A-Za-z]{34}', { entropy: 4 }),
  rule('digitalocean-token', 'DigitalOcean token', 'critical', ['dop_v1_', 'doo_v1_', 'dor_v1_'], 'do[por]_v1_[0-9a-f]{64}', { entropy: 3.2 }),
  rule('shopify-token', 'Shopify token', 'high', ['shpat_', 'shpss_', 'shppa_', 'shpca_'], 'shp(at|ss|pa|ca)_[0-9a-fA-F]{32}', { entropy: 3 }),
  rule('square-token', 'Square token', 'high', ['sq0atp-', 'sq0csp-'], '(sq0atp-[0-9A-Za-z_-]{22}|sq0csp-[0-9A-Za-z_-]{43})', { entropy: 3.5 }),
  rule('telegram-token', 'Telegram bot token', 'high', [':AA'], '[0-9]{8,10}:AA[0-9A-Za-z_-]{33}', { back: 10, entropy: 3.5 }),
  rule('vault-token', 'Vault token', 'critical', ['hvs.', 'hvb.', 'hvr.'], 'hv[sbr]\\.[0-9A-Za-z_-]{90,300}', { entropy: 4 }),
  rule('terraform-token', 'Terraform Cloud token', 'critical', ['.atlasv1.'], '[0-9A-Za-z]{14}\\.atlasv1\\.[0-9A-Za-z_=-]{60,80}', { back: 14, entropy: 4 }),
  rule('doppler-token', 'Doppler token', 'critical', ['dp.pt.', 'dp.st.', 'dp.sa.'], 'dp\\.(pt|sa|st\\.[a-z0-9_-]{2,35})\\.[0-9A-Za-z]{40,44}', { entropy: 3.5 }),
  rule('grafana-token', 'Grafana token', 'high', ['glsa_'], 'glsa_[0-9A-Za-z]{32}_[0-9a-f]{8}', { check: hasGrafanaChecksum }),
  rule('grafana-cloud-token', 'Grafana Cloud token', 'high', ['glc_eyJ'], 'glc_eyJ[0-9A-Za-z+/]{60,400}={0,2}', { entropy: 3.5 }),
  rule('databricks-token', 'Databricks token', 'critical', ['dapi'], 'dapi[0-9a-f]{32}(-[0-9])?', { entropy: 3.2 }),
  rule('postman-key', 'Postman key', 'high', ['PMAK-'], 'PMAK-[0-9a-f]{24}-[0-9a-f]{34}', { entropy: 3 }),
  rule('newrelic-key', 'New Relic key', 'high', ['NRAK-', 'NRJS-'], '(NRAK-[0-9A-Z]{27}|NRJS-[0-9a-f]{19})', { entropy: 3 }),
  rule('linear-key', 'Linear key', 'high', ['lin_api_'], 'lin_api_[0-9A-Za-z]{40}', { entropy: 3.5 }),
  rule('notion-token', 'Notion token', 'high', ['ntn_'], 'ntn_[0-9]{11}[0-9A-Za-z]{35}', { entropy: 3.5 }),
  rule('figma-token', 'Figma token', 'high', ['figd_'], 'figd_[0-9A-Za-z_-]{40}', { entropy: 3.5 }),
  rule('tailscale-key', 'Tailscale key', 'critical', ['tskey-'], 'tskey-(auth|api|client)-[0-9A-Za-z]{8,20}CNTRL-[0-9A-Za-z]{20,40}', { entropy: 3.5 }),
  rule('pulumi-token', 'Pulumi token', 'critical', ['pul-'], 'pul-[0-9a-f]{40}', { entropy: 3.2 }),
  rule('planetscale-token', 'PlanetScale token', 'critical', ['pscale_tkn_', 'pscale_pw_', 'pscale_oauth_'], 'pscale_(tkn|pw|oauth)_[0-9A-Za-z_.=-]{32,64}', { entropy: 3.5 }),
  rule('sentry-token', 'Sentry token', 'high', ['sntrys_eyJ', 'sntryu_'], '(sntrys_eyJ[0-9A-Za-z+/=_-]{80,400}|sntryu_[0-9a-f]{64})', { entropy: 3 }),
  rule('atlassian-token', 'Atlassian token', 'critical', ['ATATT3xFf', 'ATCTT3xFf'], 'AT[AC]TT3xFf[0-9A-Za-z_=-]{100,250}', { entropy: 4 }),
  rule('artifactory-key', 'Artifactory key', 'critical', ['AKCp'], 'AKCp[0-9A-Za-z]{69}', { entropy: 4 }),
  rule('heroku-key', 'Heroku key', 'high', ['HRKU-'], 'HRKU-AA[0-9A-Za-z_-]{58}', { entropy: 3.5 }),
  rule('age-key', 'age private key', 'critical', ['AGE-SECRET-KEY-1'], 'AGE-SECRET-KEY-1[QPZRY9X8GF2TVDW0S3JN54KHCE6MUA7L]{58}', { entropy: 3.5 }),
  rule('jwt', 'JSON web token', 'medium', ['eyJ'], 'eyJ[0-9A-Za-z_-]{10,1500}\\.eyJ[0-9A-Za-z_-]{10,3000}\\.[0-9A-Za-z_-]{20,700}', { check: isJwt }),
];
