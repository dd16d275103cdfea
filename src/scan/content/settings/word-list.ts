/**
 * Passwords to try, the likeliest first: what images ship with (the defaults of distributions, boards and appliances), then what is chosen most often. Sources: the default credentials
 * in the documentation of the products; the heads of the public lists of most used passwords (NCSC and SecLists, MIT).
 */
export const WORDS: readonly string[] = (
  'password root admin toor 123456 changeme test user docker 12345678 1234 secret pass raspberry vagrant ubuntu debian alpine default letmein 12345 123456789 qwerty Password1 P@ssw0rd password123 admin123 root123 centos oracle postgres '
  + 'mysql guest welcome passw0rd password1 abc123 111111 123123 1234567 1234567890 000000 iloveyou monkey dragon master login hello qwerty123 1q2w3e4r zaq12wsx letmein123 welcome1 Welcome1 Password123 Passw0rd administrator '
  + 'service support demo temp temp123 test123 testing server linux system supervisor operator manager student public private internet computer access shadow michael superman batman football baseball sunshine princess charlie trustno1 '
  + 'asdfgh asdfghjkl zxcvbnm qwertyuiop 1qaz2wsx qazwsx 654321 666666 888888 121212 112233 123321 987654321 aaaaaa secret123 mypassword pi odroid orangepi armbian kali nopassword live ftp anonymous nagios jenkins tomcat gitlab redis '
  + 'mongodb rabbitmq elastic grafana minio kubernetes kube container ansible deploy dev developer web www apache nginx backup'
).split(' ');
