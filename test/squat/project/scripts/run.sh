#!/bin/sh
# docker run ngnix
IMAGE=${IMAGE:-tomact:10}
docker run -d --name web -p 80:80 --restart always httpdd:2.4
sudo podman --log-level debug run --rm -it quay.io/fedora/fedroa bash && docker pull "$OTHER"
docker build -t acme/app . && docker push acme/app
kubectl run x --image=wordpres:6 -- sh
skopeo copy docker://couhcdb:3 dir:x
echo "no docker here: ngnix"
