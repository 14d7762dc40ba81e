"use strict";

exports.activate = () => {};
