/**
 * Docker Official Images: the repositories under `docker.io/library`, which nobody but Docker can add to. Source: docker-library/official-images,
 * `library/`, 2026-08-21. How well known each is (3: every other Dockerfile names it; 2: widely used; 1: the others) is a judgement made by hand:
 * it weighs a likeness, and decides nothing alone. The retired ones were there once and can still be pulled; source: the same repository's history.
 */
export const IMAGE_NAMES = `
official 3:
  alpine amazonlinux busybox debian docker eclipse-temurin elasticsearch golang haproxy hello-world httpd influxdb mariadb memcached mongo mysql
  nextcloud nginx node openjdk php postgres python rabbitmq redis registry ruby sonarqube tomcat traefik ubuntu wordpress
official 2:
  adminer almalinux amazoncorretto arangodb archlinux bash buildpack-deps caddy cassandra chronograf clickhouse composer couchbase couchdb drupal
  eclipse-mosquitto elixir erlang fedora flink gcc ghost gradle groovy jetty joomla julia kapacitor kibana kong logstash matomo maven mediawiki
  mongo-express nats neo4j odoo oraclelinux percona perl phpmyadmin pypy r-base redmine rockylinux rust solr spark storm swift telegraf varnish
  zookeeper
official 1:
  aerospike alt api-firewall azul-zulu backdrop bonita cirros clearlinux clefos clojure convertigo crate dart eggdrop emqx espocrm fluentd friendica
  gazebo geonetwork haskell haxe hitch hylang ibm-semeru-runtimes ibmjava irssi jruby krakend lightstreamer liquibase mageia monica neurodebian nim
  notary open-liberty orientdb photon php-zendserver plone postfixadmin rakudo-star rethinkdb rocket.chat ros sapmachine satosa silverpeas spiped swipl
  teamspeak tomee unit websphere-liberty xwiki yourls znc
# retired
official 1:
  centos java jenkins consul vault mono swarm opensuse iojs django rails celery glassfish hipache nuxeo owncloud piwik jobber rapidoid sentry thrift
  kaazing-gateway nats-streaming adoptopenjdk express-gateway euleros fsharp hola-mundo hello-seattle known sl sourcemage crux ubuntu-debootstrap
  ubuntu-upstart

# what they are called elsewhere
alias:
  postgresql=postgres psql=postgres mongodb=mongo nodejs=node apache=httpd apache2=httpd jdk=openjdk java-jdk=openjdk
  rabbit=rabbitmq elastic=elasticsearch es=elasticsearch ruby-lang=ruby rust-lang=rust rustlang=rust eclipse-mosquito=eclipse-mosquitto
  mosquitto=eclipse-mosquitto temurin=eclipse-temurin corretto=amazoncorretto amazon-linux=amazonlinux alma=almalinux rocky=rockylinux
  arch=archlinux oracle-linux=oraclelinux memcache=memcached wp=wordpress couch=couchdb influx=influxdb clickhouse-server=clickhouse
`;
