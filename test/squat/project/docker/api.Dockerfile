FROM node:20-alpne
RUN echo "FROM pyhton"
